"""The vendor's list of models: what is believed of it, where it ends, and what a hook may not do to it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelmesh.contracts import FailureClass
from modelmesh.contracts.call import Limits
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import ListsModels
from modelmesh.errors import ConfigurationError, ProviderError
from modelmesh_cdk import HttpApiProvider, OpenAICompatibleProvider, QuickProvider
from modelmesh_cdk.provider import model_list, model_listing
from modelmesh_cdk.provider.catalogue import read_row
from modelmesh_cdk.testing import Received, Script, Upstream

CHAT = "generation.text-generation.chat-completion"
KEY = "sk-test-of-the-list"
ROWS = (
    {"id": "plain", "capabilities": [CHAT], "context_window": 1000},
    {"id": "ours", "upstream": "vendors/theirs", "capabilities": [CHAT]},
)


class Acme(OpenAICompatibleProvider):
    id = "acme.list.v1"
    default_base_url = "https://api.acme.example/v1"

    def shipped_models(self) -> Any:
        return tuple(read_row(row, source="the price list of Acme", as_of="2026-11-21") for row in ROWS)


class InPages(Acme):
    def _next_model_page(self, data: Any) -> Any:
        return {"page": data["next"]} if data.get("next") else None


def discovered(upstream: Upstream, cls: type[Any] = Acme, limits: Limits | None = None, **given: Any) -> list[ModelInfo]:
    provider = cls(base_url=upstream.url, api_key=KEY, **given)
    try:
        return list(provider.discover_models(limits))
    finally:
        provider.close()


def failed(upstream: Upstream, cls: type[Any] = Acme, **given: Any) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        discovered(upstream, cls, **given)
    assert KEY not in str(caught.value)
    return caught.value


def test_http_provider_implements_lists_models() -> None:
    assert isinstance(Acme(api_key="test"), ListsModels)
    assert not isinstance(object(), ListsModels)


def test_known_row_matches_id_or_upstream_name(upstream: Upstream) -> None:
    upstream.reply({"data": [{"id": "vendors/theirs"}, {"id": "plain", "context_window": 9}, {"id": "vendors/theirs"}]})
    assert discovered(upstream) == [Acme(api_key="test").shipped_models()[1], Acme(api_key="test").shipped_models()[0]]


def test_configured_row_overrides_shipped_row(upstream: Upstream) -> None:
    upstream.reply({"data": [{"id": "plain"}]})
    row = {"id": "plain", "context_window": 5}
    (found,) = discovered(upstream, models=[row])
    assert (found.context_window, found.extra["source"]) == (5, "configuration")


def test_list_keeps_configured_and_shipped_names(upstream: Upstream) -> None:
    upstream.reply({"data": [{"id": "plain"}, {"id": "new"}]})
    found = discovered(upstream, models=[{"id": "mine", "upstream": "plain"}])
    assert [info.id for info in found] == ["plain", "mine", "new"]


def test_unknown_capabilities_are_dropped(upstream: Upstream) -> None:
    upstream.reply([{"id": "a", "capabilities": ["chat-completion", "mind-reading", "own.made.up", 7, None, "chat-completion"]}])
    assert discovered(upstream)[0].capabilities == ("chat-completion",)


@pytest.mark.parametrize(("stated", "tokens"), [
    (7, 7), (7.0, 7), (0, None), (-1, None), (7.5, None), (True, None), ("7", None), (None, None), ([7], None),
])  # fmt: skip
def test_tokens_are_whole_numbers(stated: Any, tokens: int | None, upstream: Upstream) -> None:
    upstream.reply([{"id": "a", "context_length": stated, "max_completion_tokens": stated}])
    (found,) = discovered(upstream)
    assert (found.context_window, found.max_output_tokens) == (tokens, tokens)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "\x1b[31ma", None, True, 1.5, ["a"], {"a": 1}])
def test_row_without_a_name_is_skipped(name: Any, upstream: Upstream) -> None:
    upstream.reply([{"id": name}, {"id": "a"}])
    assert [info.id for info in discovered(upstream)] == ["a"]


def test_row_name_with_surrogate_is_skipped() -> None:
    assert model_list.make_row("\ud800", "test") is None  # the standard library's JSON reads it


def test_list_without_valid_rows_raises(upstream: Upstream) -> None:
    upstream.reply({"data": [{"name": "a"}, None]})
    error = failed(upstream)
    assert (error.failure, "of the 2 rows" in str(error)) == (FailureClass.PROTOCOL, True)


@pytest.mark.parametrize("body", [{"data": []}, [], {"object": "list", "data": None}])
def test_empty_list_is_accepted(body: Any, upstream: Upstream) -> None:
    upstream.reply(body)
    assert discovered(upstream) == []


def test_error_in_list_response_has_its_class(upstream: Upstream) -> None:
    upstream.reply({"data": [], "error": {"code": "insufficient_quota", "message": f"no money on {KEY}"}})
    assert failed(upstream).failure is FailureClass.QUOTA


def test_base_url_with_password_raises_and_hides_it(upstream: Upstream) -> None:
    with pytest.raises(ConfigurationError, match="holds a name or a password") as refused:
        QuickProvider(base_url=upstream.url.replace("://", "://user:sk-test-in-the-address@"))
    assert "sk-test-in-the-address" not in str(refused.value)


# -- pages ----------------------------------------------------------------------------------------------------------


def paged(count: int) -> Any:
    def page(received: Received) -> Script:
        number = int(parse_qs(urlsplit(received.path).query).get("page", ["0"])[0])
        rows = [{"id": f"model-{number}"}]
        return Script(body=json.dumps({"data": rows, "next": str(number + 1) if number + 1 < count else None}).encode())

    return page


def test_list_reads_all_pages(upstream: Upstream) -> None:
    upstream.always(paged(3))
    assert [info.id for info in discovered(upstream, InPages)] == ["model-0", "model-1", "model-2"]
    assert [one.path for one in upstream.received] == ["/v1/models", "/v1/models?page=1", "/v1/models?page=2"]


def test_list_limits_the_pages(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_listing, "MAX_PAGES", 4)
    upstream.always(paged(4))
    assert len(discovered(upstream, InPages)) == 4
    upstream.received.clear()
    upstream.always(paged(5))
    error = failed(upstream, InPages)
    assert (error.failure, "more than 4 pages" in str(error), len(upstream.received)) == (FailureClass.PROTOCOL, True, 4)


def test_list_limits_the_rows(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_listing, "MAX_ROWS", 2)
    upstream.always(paged(3))
    error = failed(upstream, InPages)
    assert (error.failure, "more than 2 rows" in str(error)) == (FailureClass.PROTOCOL, True)


def test_repeated_page_token_ends_the_list(upstream: Upstream) -> None:
    upstream.always(Script(body=json.dumps({"data": [{"id": "a"}], "next": KEY}).encode()))
    assert failed(upstream, InPages).failure is FailureClass.PROTOCOL
    assert len(upstream.received) == 2


def test_list_pages_share_one_time_limit(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([0.0, 1.0, 5.0, 20.0])
    monkeypatch.setattr(model_listing, "monotonic", lambda: next(ticks))
    upstream.always(paged(9))
    error = failed(upstream, InPages, limits=Limits(total=10.0))
    assert (error.failure, len(upstream.received)) == (FailureClass.TIMEOUT, 2)


# -- who has none, and hooks that go wrong --------------------------------------------------------------------------


def test_provider_without_list_sends_no_request(upstream: Upstream) -> None:
    error = failed(upstream, type("Mute", (Acme,), {"list_path": ""}))
    assert (error.failure, upstream.received) == (FailureClass.CONNECT, [])
    assert "acme.list.v1 knows no list of models" in str(error)
    assert failed(upstream, HttpApiProvider).failure is FailureClass.CONNECT


HOOKS = {
    "_get_list_endpoint": ("/models", "whole address"),
    "_parse_model_list": ({"id": "a"}, "a sequence of ModelInfo"),
    "_next_model_page": ("2", "query parameters as a map"),
}


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_with_invalid_result_is_named(hook: str, upstream: Upstream) -> None:
    value, right = HOOKS[hook]
    error = failed(upstream, type("Wrong", (Acme,), {hook: lambda *_: value}))
    assert hook in str(error)
    assert right in str(error)


def test_hook_exception_is_a_typed_error(upstream: Upstream) -> None:
    class Careless(Acme):
        def _parse_model_list(self, data: Any) -> Any:
            return [ModelInfo(row["name"]) for row in data["data"]]

    class Careful(Acme):
        def _parse_model_list(self, data: Any) -> Any:
            message = f"it is in another version, {data['version']}"
            raise ValueError(message)

    assert "KeyError" in str(failed(upstream, Careless))
    upstream.reply({"version": KEY})  # and the vendor repeats the key
    error = failed(upstream, Careful)
    assert (error.failure, "another version" in str(error)) == (FailureClass.PROTOCOL, True)


NAMES = st.sampled_from(("id", "data", "object", "error", "capabilities", "context_length", "x"))
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
FLAT = PLAIN | st.lists(PLAIN, max_size=3) | st.dictionaries(NAMES, PLAIN, max_size=3)
ROW = FLAT | st.dictionaries(NAMES, FLAT, max_size=4)
ANYTHING = ROW | st.lists(ROW, max_size=4) | st.dictionaries(NAMES, ROW | st.lists(ROW, max_size=4), max_size=4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(body=ANYTHING)
def test_list_response_is_rows_or_a_typed_error(body: Any, upstream: Upstream) -> None:
    upstream.reply(body)
    try:
        found = discovered(upstream)
    except ProviderError:
        return
    assert all(isinstance(info.id, str) and info.id for info in found)

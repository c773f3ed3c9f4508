"""A vendor described by mappings: what is named is moved, what is not travels on, and OpenAI's own shape stays as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from modelmesh.contracts import ModelInfo
from modelmesh.errors import ConfigurationError
from modelmesh_cdk import HttpApiProvider, RequestMapping, ResponseMapping
from modelmesh_cdk.testing import ProviderConformance, Script, Upstream


class Plain(HttpApiProvider):
    id = "acme.plain.v1"
    default_base_url = "https://api.acme.example/v1"
    api_key_variable = "ACME_API_KEY"

    def shipped_models(self) -> Any:
        facts = {"source": "Acme's list", "as_of": "2026-11-21"}
        return (ModelInfo("acme-1", capabilities=("chat-completion",), extra=facts),)


class TestPlain(ProviderConformance):
    provider_class = Plain


class Acme(HttpApiProvider):
    id = "acme.text.v1"
    default_base_url = "https://api.acme.example"
    completion_endpoint = "/generate/{model}"
    key_header = "X-Key"
    key_scheme = ""
    request_mapping = RequestMapping(
        model_field="",
        messages_field="input.turns",
        temperature_field="options.heat",
        max_tokens_field="options.limits.output",
        stream_field="options.events",
        fields={"top_p": "options.nucleus"},
        extra_fields={"edition": 3, "options": {"safe": True, "heat": 0.1}},
    )
    response_mapping = ResponseMapping(
        id_field="meta.request",
        model_field="meta.engine",
        choices_field="outputs",
        content_field="blocks.*.text",
        finish_reason_field="ended",
        finish_reasons={"end_turn": "stop"},
        usage_field="meta.tokens",
        prompt_tokens_field="in",
        completion_tokens_field="out",
    )
    stream_mapping = ResponseMapping(
        id_field="meta.request", choices_field="", content_field="piece", finish_reason_field="ended", usage_field="meta.tokens",
        prompt_tokens_field="in", completion_tokens_field="out", finish_reasons={"end_turn": "stop"},
    )  # fmt: skip


ANSWER = {
    "meta": {"request": "r1", "engine": "acme-1", "tokens": {"in": 5, "out": 2, "cached": 1}, "region": "north"},
    "outputs": [{"blocks": [{"text": "Hel"}, {"text": "lo!"}], "ended": "end_turn", "mood": "fine"}],
    "model": "an older name",
}


def acme(upstream: Upstream, **settings: Any) -> Acme:
    return Acme(base_url=upstream.url.removesuffix("/v1"), api_key="sk-test", **settings)


def test_request_mapping_places_parameters(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.reply(ANSWER)
    ask(acme(upstream), temperature=0, max_completion_tokens=7, top_p=0.5, unheard_of=[1], **{"dotted.name": 1})
    sent = upstream.last
    assert sent.path == "/generate/test-model"
    assert (sent.headers["x-key"], "authorization" in sent.headers) == ("sk-test", False)
    assert sent.json == {
        "input": {"turns": [{"role": "user", "content": "Hello!"}]},
        "options": {"heat": 0, "limits": {"output": 7}, "nucleus": 0.5, "safe": True},
        "edition": 3,
        "unheard_of": [1],
        "dotted.name": 1,
    }


def test_extra_fields_are_not_shared_between_requests(upstream: Upstream) -> None:
    mapping = Acme.request_mapping
    before = json.dumps(mapping.extra_fields)
    mapping.body("m", {"temperature": 1, "messages": []}, stream=True)["options"]["safe"] = False
    assert json.dumps(mapping.extra_fields) == before


def test_response_mapping_keeps_all_fields(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.reply(ANSWER)
    body = ask(acme(upstream)).body
    assert (body["id"], body["model"], body["object"]) == ("r1", "acme-1", "chat.completion")
    choice = body["choices"][0]
    assert choice["message"] == {"role": "assistant", "content": "Hello!"}
    assert (choice["index"], choice["finish_reason"], choice["mood"], choice["ended"]) == (0, "stop", "fine", "end_turn")
    assert body["usage"] == {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7, "in": 5, "out": 2, "cached": 1}
    assert (body["meta"], body["outputs"]) == (ANSWER["meta"], ANSWER["outputs"])
    assert body["vendor_fields"] == {"model": "an older name"}


def test_missing_usage_is_not_zero(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.reply({"outputs": [{"ended": "melted"}], "meta": {"tokens": {"in": 5}}})
    body = ask(acme(upstream)).body
    assert body["choices"][0]["message"] == {"role": "assistant", "content": None}
    assert body["choices"][0]["finish_reason"] == "melted"
    assert body["usage"] == {"prompt_tokens": 5, "in": 5}
    upstream.reply({"outputs": [{}]})
    body = ask(acme(upstream)).body
    assert "usage" not in body
    assert body["choices"][0]["finish_reason"] is None


def test_response_without_choices_has_none(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.reply({"meta": {}})
    assert "choices" not in ask(acme(upstream)).body


@pytest.mark.parametrize("outputs", ["Hello!", ["Hello!"], {"blocks": [{"text": "Hello!"}]}])
def test_response_choice_may_be_text_or_single(ask: Callable[..., Any], upstream: Upstream, outputs: Any) -> None:
    upstream.reply({"outputs": outputs})
    assert [one["message"]["content"] for one in ask(acme(upstream)).body["choices"]] == ["Hello!"]


def test_stream_mapping_reads_each_event(ask: Callable[..., Any], upstream: Upstream) -> None:
    events = [
        {"piece": "Hel", "meta": {"request": "r1"}, "mood": "fine"},
        {"piece": "lo!", "ended": "end_turn"},
        {"meta": {"tokens": {"in": 5, "out": 2}}},
    ]
    body = "".join(f"data: {json.dumps(one)}\n\n" for one in events).encode() + b"data: [DONE]\n\n"
    upstream.then(Script(body=body, headers={"Content-Type": "text/event-stream"}))
    chunks = ask(acme(upstream), stream=True)
    assert upstream.last.json["options"]["events"] is True
    deltas = [choice["delta"].get("content") or "" for one in chunks for choice in one["choices"]]
    assert "".join(deltas) == "Hello!"
    assert (chunks[0]["id"], chunks[0]["mood"], chunks[0]["object"]) == ("r1", "fine", "chat.completion.chunk")
    assert chunks[1]["choices"][0]["finish_reason"] == "stop"
    assert chunks[2]["usage"]["total_tokens"] == 7


def test_mapping_may_come_from_the_configuration(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.reply({"said": {"text": "Hello!"}})
    settings = {"completion_endpoint": "/ask", "request_mapping": {"messages_field": "turns"}}
    settings |= {"response_mapping": {"choices_field": "said", "content_field": "text"}}
    answer = ask(Plain(base_url=upstream.url, api_key="sk-test", **settings))
    assert answer.body["choices"][0]["message"]["content"] == "Hello!"
    assert upstream.last.path == "/ask"
    assert "turns" in upstream.last.json
    with pytest.raises(ConfigurationError, match=r"RequestMapping has no field mesages_field\. Known: model_field"):
        Plain(api_key="sk-test", request_mapping={"mesages_field": "turns"})


ABSENT = object()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc0") | st.just("choices"), inner, max_size=3),
)


@examples(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.dictionaries(st.sampled_from(["id", "model", "choices", "usage", "object", "a"]), JSON))
def test_response_of_any_shape_is_kept(data: dict[str, Any]) -> None:
    """Every top field of any body is in the answer, or beside it; choices are, too."""
    before = json.dumps(data)
    made = ResponseMapping().answer(data)
    assert json.dumps(data) == before
    kept = made.get("vendor_fields", {})
    for name, value in data.items():
        if value is not None:
            assert value in (made[name], kept.get(name, ABSENT)) or value.items() <= made[name].items()

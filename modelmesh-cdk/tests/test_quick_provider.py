"""A provider made on the spot: its models are given, or asked of the endpoint."""

from __future__ import annotations

import json
from typing import Any

import pytest

import modelmesh
from modelmesh.contracts import FailureClass
from modelmesh.contracts.models import ModelInfo
from modelmesh.errors import ProviderInitError
from modelmesh_cdk import QuickProvider
from modelmesh_cdk.testing import Script, Upstream


def listing(*rows: Any) -> Script:
    return Script(body=json.dumps({"object": "list", "data": list(rows)}).encode())


def models_of(provider: QuickProvider) -> list[Any]:
    try:
        return list(provider.models())
    finally:
        provider.close()


def test_models_are_requested_once_with_the_key(upstream: Upstream) -> None:
    provider = QuickProvider(base_url=upstream.url, api_key="sk-test")
    assert upstream.received == []  # not before somebody wants to know
    assert [info.id for info in provider.models()] == [info.id for info in provider.models()] == ["test-model"]
    provider.close()
    (asked,) = upstream.received
    assert (asked.method, asked.path, asked.headers["authorization"]) == ("GET", "/v1/models", "Bearer sk-test")


def test_openai_row_reads_stated_facts(upstream: Upstream) -> None:
    rows = [
        {"id": "a", "context_window": 1},
        {"id": "b", "context_length": 2, "capabilities": ["chat-completion", "code-generation"]},
        {"id": "c", "max_model_len": 3, "capabilities": {"vision": True}},
        {"id": "d", "context_window": "many"},
        {"id": 5},
        {"name": "nameless"},
        {"id": ""},
        "x",
    ]
    upstream.then(listing(*rows))
    found = models_of(QuickProvider(base_url=upstream.url))
    assert [(info.id, info.context_window, info.capabilities) for info in found] == [
        ("a", 1, ()), ("b", 2, ("chat-completion", "code-generation")), ("c", 3, ()), ("d", None, ()), ("5", None, ()),
    ]  # fmt: skip
    assert all(info.max_output_tokens is None for info in found)  # unknown, not 4096
    assert found[0].extra["source"] == f"{upstream.url}/v1/models"


def test_models_of_bare_list_need_no_key(upstream: Upstream) -> None:
    upstream.reply([{"id": "a"}])
    assert [info.id for info in models_of(QuickProvider(base_url=upstream.url + "/v1/"))] == ["a"]
    assert "authorization" not in upstream.last.headers


@pytest.mark.parametrize("given", [["a", "b"], [{"id": "a"}, {"id": "b", "context_window": 5}], [ModelInfo("a"), "b"]])
def test_given_models_send_no_request(given: Any, upstream: Upstream) -> None:
    assert [info.id for info in models_of(QuickProvider(base_url=upstream.url, models=given))] == ["a", "b"]
    assert upstream.received == []


FAILURES: dict[str, tuple[Script, FailureClass, str]] = {
    "401": (Script(401, b"{}"), FailureClass.CREDENTIAL, "HTTP 401"),
    "404": (Script(404, b"{}"), FailureClass.REFUSED, "HTTP 404"),
    "500": (Script(500, b"no"), FailureClass.SERVER, "HTTP 500"),
    "not json": (Script(200, b"<html>", content_type="text/html"), FailureClass.PROTOCOL, "could not be read"),
    "no list": (Script(200, b'{"data": {"id": "a"}}'), FailureClass.PROTOCOL, "the answer holds no list of models"),
    "a word": (Script(200, b'"models"'), FailureClass.PROTOCOL, "the answer holds no list of models"),
    "cut": (Script(200, b'{"data": [', cut=True), FailureClass.PROTOCOL, "could not be read"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_failed_list_raises_init_error(case: str, upstream: Upstream) -> None:
    script, failure, words = FAILURES[case]
    upstream.always(script)
    with pytest.raises(ProviderInitError, match=words) as caught:
        models_of(QuickProvider(base_url=upstream.url, api_key="sk-test"))
    assert caught.value.failure is failure
    assert f"from {upstream.url}/v1/models" in str(caught.value)
    assert "models=['…']" in str(caught.value)
    assert "sk-test" not in str(caught.value)


def test_unreachable_endpoint_raises_init_error() -> None:
    with pytest.raises(ProviderInitError) as caught:
        models_of(QuickProvider(base_url="http://127.0.0.1:1"))
    assert caught.value.failure is FailureClass.CONNECT


def test_failed_list_is_requested_again(upstream: Upstream) -> None:
    upstream.fail(500)
    provider = QuickProvider(base_url=upstream.url)
    with pytest.raises(ProviderInitError):
        provider.models()
    assert [info.id for info in provider.models()] == ["test-model"]
    provider.close()


def test_quick_provider_serves_in_a_mesh(upstream: Upstream) -> None:
    provider = QuickProvider(base_url=upstream.url)
    with modelmesh.create(
        config={"providers": {"mine": {"instance": provider}}, "pools": {"chat-completion": {"providers": ["mine"]}}}
    ) as client:
        reply = client.chat.completions.create(model="chat-completion", messages=[])
    assert (reply.content, reply.model, reply.provider) == ("Hello!", "test-model", "mine")


@pytest.mark.parametrize(
    ("written", "root"),
    [
        ("http://gpu.example:9000", "http://gpu.example:9000/v1"),
        ("https://gpu.example/v1/", "https://gpu.example/v1"),
        ("gpu.example:9000", "http://gpu.example:9000/v1"),
        ("gpu.example:9000/v1", "http://gpu.example:9000/v1"),
        (" gpu.example ", "http://gpu.example/v1"),
    ],
)
def test_base_url_without_scheme_or_version_is_completed(written: str, root: str) -> None:
    assert QuickProvider(base_url=written)._get_completion_endpoint() == f"{root}/chat/completions"

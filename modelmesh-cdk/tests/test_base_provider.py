"""A provider over HTTP: every hook takes effect by itself, from threads and from tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from modelmesh.contracts import EMBEDDINGS, FailureClass, Secret
from modelmesh.contracts.call import Call, CallOptions, Limits
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.contracts.operations import SPEECH
from modelmesh.errors import (
    BadRequestError,
    ConfigurationError,
    RateLimitError,
)
from modelmesh_cdk import BaseProvider, BaseProviderConfig, OpenAICompatibleProvider
from modelmesh_cdk.testing import Script, Upstream
from modelmesh_cdk.testing.upstream import chunk, completion, event, text_stream


def made(upstream: Upstream, cls: type[BaseProvider] = BaseProvider, **settings: Any) -> BaseProvider:
    return cls(base_url=upstream.url, **{"api_key": "sk-test", **settings})


def text_of(chunks: Any) -> str:
    return "".join(one["choices"][0]["delta"].get("content") or "" for one in chunks)


# -- what is sent ------------------------------------------------------------------------------------------------------


def test_openai_response_is_returned_unchanged(ask: Callable[..., Any], upstream: Upstream) -> None:
    answer = ask(made(upstream), temperature=0.5, unheard_of={"a": 1})
    assert answer.body["choices"][0]["message"]["content"] == "Hello!"
    sent = upstream.last
    assert (sent.method, sent.path) == ("POST", "/v1/chat/completions")
    assert sent.json == {
        "model": "test-model",
        "messages": [{"role": "user", "content": "Hello!"}],
        "temperature": 0.5,
        "unheard_of": {"a": 1},
    }
    assert sent.headers["authorization"] == "Bearer sk-test"
    assert sent.headers["content-type"] == sent.headers["accept"] == "application/json"
    assert sent.headers["user-agent"].startswith("modelmesh/")


def test_openai_stream_is_returned_unchanged(ask: Callable[..., Any], upstream: Upstream) -> None:
    chunks = ask(made(upstream), stream=True)
    assert text_of(chunks) == "Hello!"
    assert {one["object"] for one in chunks} == {"chat.completion.chunk"}
    assert upstream.last.json["stream"] is True
    assert upstream.last.headers["accept"] == "text/event-stream"


class OwnHeaders(BaseProvider):
    def _build_headers(self) -> dict[str, str]:
        return {**super()._build_headers(), "x-api-key": self.api_key.reveal() if self.api_key else "", "User-Agent": "acme/1"}


class OwnPayload(BaseProvider):
    def _build_request_payload(self, request: Any) -> dict[str, Any]:
        request.adapted.append("renamed messages")
        return {
            "prompt": request.messages[0]["content"],
            "nothing": request.temperature,
            "model": request.model.upper(),
            "stream": request.stream,
        }


class OwnEndpoint(BaseProvider):
    def _get_completion_endpoint(self) -> str:
        return f"{self.api_root}/deployments/x?api-version=1"


class OwnAnswer(BaseProvider):
    def _parse_response(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"choices": [{"message": {"content": data["id"] + "!"}}], **data["usage"]}


class OwnChunk(BaseProvider):
    def _parse_sse_chunk(self, data: str) -> dict[str, Any] | None:
        return None if data == "skip" else chunk({"content": data.upper()})


class Decoder:
    def __init__(self) -> None:
        self.done, self.seen = False, 0

    def decode(self, one: Any) -> list[dict[str, Any]]:
        self.seen += 1
        self.done = one.name == "end"
        return [] if self.done else [chunk({"content": f"{self.seen}{one.data.decode()}"})]


class OwnDecoder(BaseProvider):
    def _stream_decoder(self, request: Any) -> Any:
        return Decoder()


class OwnClassifier(BaseProvider):
    def _classify(self, status: int, code: str | None, headers: Any, body: Any) -> FailureClass:
        return FailureClass.THROTTLE if status == 418 and code == "tea" else super()._classify(status, code, headers, body)


class OwnError(BaseProvider):
    def _error_code(self, body: Any) -> str | None:
        return body["fault"]["kind"]

    def _error_text(self, body: Any) -> str:
        return body["fault"]["why"]


def test_headers_hook_sets_headers(ask: Callable[..., Any], upstream: Upstream) -> None:
    ask(made(upstream, OwnHeaders))
    assert upstream.last.headers["x-api-key"] == "sk-test"
    assert upstream.last.headers["user-agent"] == "acme/1"


@pytest.mark.parametrize("stream", [False, True])
def test_payload_hook_builds_the_body(stream: bool, ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.always(Script(body=text_stream("x"), content_type="text/event-stream") if stream else None)
    if not stream:
        upstream.reply(completion())
    answer = ask(made(upstream, OwnPayload), stream=stream)
    assert upstream.last.json == {"prompt": "Hello!", "nothing": None, "model": "TEST-MODEL", "stream": stream}
    if not stream:
        assert answer.adapted == ["renamed messages"]


def test_endpoint_hook_keeps_query_of_call(ask: Callable[..., Any], upstream: Upstream) -> None:
    ask(made(upstream, OwnEndpoint), options=CallOptions(query={"a": ["1", "2"], "b": "ü"}))
    assert upstream.last.path == "/v1/deployments/x?api-version=1&a=1&a=2&b=%C3%BC"


def test_response_hook_reads_the_response(ask: Callable[..., Any], upstream: Upstream) -> None:
    answer = ask(made(upstream, OwnAnswer))
    assert answer.body["choices"][0]["message"]["content"] == "chatcmpl-test!"
    assert answer.body["total_tokens"] == 7


def test_chunk_hook_reads_each_event(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.stream([event("a"), event("skip"), event("b"), event("[DONE]")])
    assert text_of(ask(made(upstream, OwnChunk), stream=True)) == "AB"


def test_decoder_hook_reads_the_stream(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.stream([event("a"), event("b"), b"event: end\ndata: x\n\n", event("after")])
    assert text_of(ask(made(upstream, OwnDecoder), stream=True)) == "1a2b"


def test_classifier_hook_sets_failure_class(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.fail(418, "tea", retry_after="7")
    with pytest.raises(RateLimitError) as caught:
        ask(made(upstream, OwnClassifier))
    assert (caught.value.retry_after, caught.value.code, caught.value.status) == (7.0, "tea", 418)
    upstream.fail(418, "coffee")
    with pytest.raises(BadRequestError):
        ask(made(upstream, OwnClassifier))


def test_error_body_hook_reads_code_and_message(ask: Callable[..., Any], upstream: Upstream) -> None:
    upstream.reply({"fault": {"kind": "bad_color", "why": "no such color"}}, 400)
    with pytest.raises(BadRequestError, match=r"HTTP 400 bad_color\): no such color"):
        ask(made(upstream, OwnError))


@pytest.mark.parametrize(("operation", "path"), [(EMBEDDINGS, "/v1/embeddings"), (SPEECH, "/v1/audio/speech")])
def test_other_operation_has_own_path_and_body(operation: Any, path: str, upstream: Upstream) -> None:
    upstream.then(Script(body=b"ID3", content_type="audio/mpeg") if operation is SPEECH else Script(body=b'{"data": [1]}'))
    provider = made(upstream)
    answer = provider.send(Call(operation, "x", {"input": "a"}), "m", Limits())
    provider.close()
    assert upstream.last.path == path
    assert answer.body == (b"ID3" if operation is SPEECH else {"data": [1]})


# -- headers -----------------------------------------------------------------------------------------------------------


def test_headers_of_call_override_configuration_and_default(ask: Callable[..., Any], upstream: Upstream) -> None:
    provider = made(upstream, headers={"X-A": Secret("config-test"), "X-B": "config", "User-Agent": "mine"})
    ask(provider, options=CallOptions(headers={"x-b": "call", "Accept": "x/y"}))
    sent = upstream.last.headers
    assert (sent["x-a"], sent["x-b"], sent["user-agent"], sent["accept"]) == ("config-test", "call", "mine", "x/y")


@pytest.mark.parametrize("headers", [{"X-A": "a\r\nX-Evil: 1"}, {"X-A\n": "a"}, {"X-A": "a\0"}])
def test_extra_header_with_line_break_raises(headers: dict[str, str], ask: Callable[..., Any], upstream: Upstream) -> None:
    with pytest.raises(BadRequestError, match="contains a line break. Nothing was sent") as caught:
        ask(made(upstream), options=CallOptions(headers=headers))
    assert caught.value.failure is FailureClass.CALLER
    assert upstream.received == []


def test_openai_compatible_options_become_headers(ask: Callable[..., Any], upstream: Upstream) -> None:
    ask(made(upstream, OpenAICompatibleProvider, organization="org-test", project="p"))
    assert upstream.last.headers["openai-organization"] == "org-test"
    assert upstream.last.headers["openai-project"] == "p"


# -- settings ----------------------------------------------------------------------------------------------------------


def test_key_and_base_url_come_from_environment(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch, ask: Callable[..., Any]
) -> None:
    class Vendor(BaseProvider):
        id, api_key_variable, base_url_variable, default_base_url = (
            "acme.llm.v1",
            "ACME_API_KEY",
            "ACME_BASE_URL",
            "https://api.acme.test",
        )

    with pytest.raises(
        ConfigurationError, match=r"acme.llm.v1 has no API key; set api_key, or the variable: export ACME_API_KEY="
    ):
        Vendor()
    monkeypatch.setenv("ACME_API_KEY", "env-test")
    assert repr(Vendor()) == "<Vendor acme.llm.v1 at api.acme.test>"
    monkeypatch.setenv("ACME_BASE_URL", upstream.url)
    ask(Vendor())
    assert upstream.last.headers["authorization"] == "Bearer env-test"
    with pytest.raises(ConfigurationError, match="has no usable base_url: 'nowhere' is not an HTTP address"):
        Vendor(base_url="nowhere")


def test_settings_accept_object_map_and_keywords() -> None:
    forms = [
        BaseProvider(BaseProviderConfig(base_url="https://x.example", api_key=Secret("k-test"), options={"region": "eu"})),
        BaseProvider({"base_url": "https://x.example", "api_key": "k-test", "region": "eu"}),
        BaseProvider(base_url="https://x.example", api_key="k-test", region="eu"),
        BaseProvider.from_config({"base_url": "https://x.example", "api_key": "k-test", "options": {"region": "eu"}}),
    ]
    assert len({repr(one.config) for one in forms}) == 1
    for one in forms:
        assert one.config == forms[0].config
        assert one.config.options == {"region": "eu"}
        assert "k-test" not in repr(one) + repr(one.config)


def test_configured_models_form_the_catalogue() -> None:
    price = ModelPricing(1.0, 2.0)
    provider = BaseProvider(
        base_url="https://x.example",
        api_key="t",
        models=["a", {"id": "b", "context_window": 9, "colour": "red"}, ModelInfo("c", upstream="c-1", pricing=price)],
    )
    assert [info.id for info in provider.list_models()] == ["a", "b", "c"]
    assert provider.get_model_info("b").context_window == 9
    assert provider.get_model_info("b").extra["colour"] == "red"
    assert provider.get_model_info("c-1").id == "c"
    assert provider.get_pricing("c") is price
    for missing in ("a", "z"):
        with pytest.raises(KeyError):
            provider.get_pricing(missing)
    assert provider.supports(provider.get_capabilities()[0])
    assert not provider.supports("text-to-speech")

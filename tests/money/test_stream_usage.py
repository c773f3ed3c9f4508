"""Usage of streams: reported by the vendor, or estimated and marked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import modelmesh
from modelmesh.cdk import QuickProvider
from modelmesh.errors import StreamInterruptedError
from modelmesh_cdk.testing import Upstream
from modelmesh_cdk.testing.upstream import Received, Script, chunk, event

HELLO = [{"role": "user", "content": "Tell me about the sea."}]
USAGE = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
PRICE = {"input_per_1k_tokens": 1, "output_per_1k_tokens": 1}
WORDS = [chunk({"role": "assistant", "content": "The sea"}), chunk({"content": " is deep"})]
END = chunk({}, finish="stop")
DIALECT = [
    "openai.llm.v1", "deepseek.api.v1", "xai.grok.v1", "groq.api.v1", "together.api.v1", "fireworks.api.v1",
    "openrouter.gateway.v1", "huggingface.inference.v1", "vllm.local.v1", "ollama.local.v1", "lmstudio.local.v1", "localai.local.v1",
]  # fmt: skip


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture
def client(upstream: Upstream) -> Iterator[Callable[..., Any]]:
    made: list[Any] = []

    def make(connector: str = "openai.llm.v1", **settings: Any) -> Any:
        row = {"id": "m", "capabilities": ["chat-completion"], "pricing": PRICE}
        entry = {"connector": connector, "api_key": "test", "base_url": upstream.url, "models": [row], **settings}
        made.append(modelmesh.create(config={"providers": {"v": entry}, "pools": {"chat": {"capability": "chat-completion"}}}))
        return made[-1]

    yield make
    for one in made:
        one.close()


def chunks_of(client: Any, **arguments: Any) -> list[Any]:
    return list(client.chat.completions.create(model="chat", messages=HELLO, stream=True, **arguments))


def as_openai(request: Received, *, refuses: bool = False) -> Script:
    """Answer like OpenAI: usage in a separate chunk, only on request."""
    options = request.json.get("stream_options")
    if refuses and options is not None:
        error = {"message": "Extra inputs are not permitted", "loc": ["body", "stream_options"], "type": "extra_forbidden"}
        return Script(422, json.dumps({"error": error}).encode())
    asked = [{**END, "choices": [], "usage": USAGE}] if options and options.get("include_usage") else []
    return streamed(*WORDS, END, *asked)


def streamed(*chunks: Any, cut: bool = False) -> Script:
    done = [] if cut else [event("[DONE]")]
    return Script(body=[event(one) for one in chunks] + done, content_type="text/event-stream", cut=cut)


@pytest.mark.parametrize("connector", DIALECT)
def test_stream_usage_is_requested_and_on_the_finish_chunk(connector: str, upstream: Upstream, client: Any) -> None:
    upstream.always(as_openai)
    mesh = client(connector)
    chunks = chunks_of(mesh)
    assert all(one.choices for one in chunks), "no chunk that the caller did not ask for"
    assert [one.usage is None for one in chunks] == [True] * (len(chunks) - 1) + [False]
    assert (chunks[-1].choices[0].finish_reason, chunks[-1].usage.total_tokens) == ("stop", 14)
    assert (mesh.usage.total_tokens, mesh.usage.total_cost, mesh.usage.total.estimated_requests) == (14, 0.014, 0)


def test_quick_provider_requests_stream_usage(upstream: Upstream) -> None:
    upstream.always(as_openai)
    provider = QuickProvider(base_url=upstream.url, api_key="test", models=["m"])
    with modelmesh.create(config={"providers": {"q": {"instance": provider}}, "pools": {"chat": {}}}) as mesh:
        assert chunks_of(mesh)[-1].usage.total_tokens == 14
        assert (mesh.usage.total_tokens, mesh.usage.total.unpriced_requests, mesh.usage.total.unknown_usage_requests) == (
            14,
            1,
            0,
        )


@pytest.mark.parametrize("apart", [True, False], ids=["a chunk of its own", "on the finish chunk"])
def test_stream_usage_requested_is_a_separate_chunk(apart: bool, upstream: Upstream, client: Any) -> None:
    last = [END, {**END, "choices": [], "usage": USAGE}] if apart else [{**END, "usage": USAGE}]
    upstream.always(lambda _: streamed(*WORDS, *last))
    *rest, extra = chunks_of(client(), stream_options={"include_usage": True})
    assert all(one.choices and one.usage is None for one in rest)
    assert rest[-1].choices[0].finish_reason == "stop"
    assert (extra.choices, extra.usage.total_tokens, extra.id, extra.object) == ([], 14, END["id"], "chat.completion.chunk")


def test_running_usage_is_reported_once(upstream: Upstream, client: Any) -> None:
    running = [{**one, "usage": {**USAGE, "completion_tokens": place}} for place, one in enumerate(WORDS, 1)]
    upstream.always(lambda _: streamed(*running, {**END, "usage": USAGE}))
    chunks = chunks_of(client())
    assert [one.usage and one.usage.completion_tokens for one in chunks] == [None, None, 5]


@pytest.mark.parametrize("asked", [False, True])
def test_server_rejecting_the_option_is_remembered(asked: bool, upstream: Upstream, client: Any) -> None:
    upstream.always(lambda request: as_openai(request, refuses=True))
    mesh = client()
    options = {"stream_options": {"include_usage": True}} if asked else {}
    for sent in (2, 3, 4):
        stream = mesh.chat.completions.create(model="chat", messages=HELLO, stream=True, **options)
        chunks = list(stream)
        (attempt,) = stream.attempts
        assert (len(upstream.received), attempt.outcome, attempt.estimated) == (sent, "answered", True)
        assert ["stream_options" in line for line in attempt.adapted] == [True] * asked
        assert all(one.choices and one.usage is None for one in chunks), "an estimate is not the vendor's report"
    (candidate,) = mesh.mesh.list_models()
    assert (candidate.failure_count, candidate.status) == (0, "active")
    assert mesh.usage.total.estimated_requests == 3


def test_server_rejecting_the_option_async_is_remembered(upstream: Upstream) -> None:
    upstream.always(lambda request: as_openai(request, refuses=True))
    provider = QuickProvider(base_url=upstream.url, api_key="test", models=["m"])

    async def run() -> None:
        config = {"providers": {"q": {"instance": provider}}, "pools": {"chat": {}}}
        async with modelmesh.create_async(config=config) as mesh:
            for _ in range(2):
                stream = await mesh.chat.completions.create(model="chat", messages=HELLO, stream=True)
                assert [one.choices[0].finish_reason async for one in stream][-1] == "stop"

    asyncio.run(run())
    assert len(upstream.received) == 3


def test_other_refusal_does_not_drop_the_option(upstream: Upstream, client: Any) -> None:
    refused = json.dumps({"error": {"message": "temperature must be below 2", "param": "temperature"}}).encode()
    upstream.always(lambda _: Script(400, refused))
    with pytest.raises(modelmesh.exceptions.BadRequestError, match="temperature"):
        chunks_of(client(), temperature=9)
    assert all("stream_options" in one.json for one in upstream.received)


@pytest.mark.parametrize("usage", ["lots", {"prompt_tokens": "9"}, {"completion_tokens": -5}, {"prompt_tokens": 1.5}, [9], True])
@pytest.mark.parametrize("stream", [False, True])
def test_invalid_usage_is_estimated(usage: Any, stream: bool, upstream: Upstream, client: Any) -> None:
    if stream:
        upstream.always(lambda _: streamed(*WORDS, {**END, "usage": usage}))
    else:
        body = {**END, "object": "chat.completion", "usage": usage}
        body["choices"] = [{"index": 0, "message": {"role": "assistant", "content": "The sea"}, "finish_reason": "stop"}]
        upstream.always(lambda _: Script(body=json.dumps(body).encode()))
    mesh = client()
    reply = chunks_of(mesh)[-1] if stream else mesh.chat.completions.create(model="chat", messages=HELLO)
    assert reply.usage is None
    used, stats = mesh.usage.total, mesh.mesh.stats().model("m")
    assert (used.estimated_requests, used.unknown_usage_requests, stats.requests_estimated) == (1, 0, 1)
    assert used.total_tokens == stats.tokens_in + stats.tokens_out == used.estimated_tokens > 8


def test_separate_reasoning_tokens_count_as_output(upstream: Upstream, client: Any) -> None:
    usage = {**USAGE, "total_tokens": 114, "completion_tokens_details": {"reasoning_tokens": 100}}
    upstream.always(lambda _: streamed(*WORDS, {**END, "usage": usage}))
    mesh = client()
    assert chunks_of(mesh)[-1].usage.completion_tokens == 5, "the vendor's own report is not changed"
    assert (mesh.usage.total_tokens, mesh.usage.total_cost) == (114, 0.114)


def test_stream_closed_early_counts_everywhere(upstream: Upstream, client: Any) -> None:
    upstream.always(lambda _: streamed(*WORDS, *(chunk({"content": " word"}) for _ in range(50)), END, {**END, "usage": USAGE}))
    mesh = client(budget={"daily_limit": 5}, quota={"requests_per_day": 50})
    for _ in range(3):
        with mesh.chat.completions.create(model="chat", messages=HELLO, stream=True) as stream:
            next(iter(stream))
    usage, status = mesh.usage, mesh.usage.budget_status
    assert (usage.total_requests, usage.total.unknown_cost_attempts) == (3, 0)
    assert usage.total_cost == pytest.approx(status.used)
    assert usage.total_cost > 0
    stats = mesh.mesh.stats().model("m")
    assert (stats.requests_total, stats.requests_failed, stats.tokens_out + stats.tokens_in) == (3, 0, usage.total_tokens)
    assert mesh.mesh.stats().pool("chat").requests_total == 3


def test_broken_stream_counts_everywhere(upstream: Upstream, client: Any) -> None:
    upstream.always(lambda _: streamed(*WORDS, cut=True))
    mesh = client(budget={"daily_limit": 5})
    with pytest.raises(StreamInterruptedError) as caught:
        chunks_of(mesh)
    assert caught.value.attempts[-1].estimated
    usage = mesh.usage
    assert (usage.total_requests, usage.total.estimated_requests, usage.total.estimated_tokens) == (1, 1, usage.total_tokens)
    assert usage.total_cost == pytest.approx(usage.budget_status.used)
    assert usage.total_cost > 0
    assert mesh.mesh.stats().model("m").requests_failed == 1


@pytest.mark.parametrize(("stated", "sent"), [({}, 700), ({"max_tokens": 9000}, 700), ({"max_tokens": 20}, 20)])
def test_configured_output_limit_is_sent(stated: dict[str, int], sent: int, upstream: Upstream) -> None:
    provider = {"connector": "openai.llm.v1", "api_key": "test", "base_url": upstream.url}
    models = {"m": {"provider": "v", "capabilities": ["chat-completion"], "constraints": {"max_output_tokens": 700}}}
    config = {"providers": {"v": provider}, "models": models, "pools": {"chat": {"capability": "chat-completion"}}}
    with modelmesh.create(config=config) as mesh:
        reply = mesh.chat.completions.create(model="chat", messages=HELLO, **stated)
    body = upstream.last.json
    assert body.get("max_tokens", body.get("max_completion_tokens")) == sent
    assert [line.startswith("max_tokens ") for line in reply.attempts[-1].adapted] == [True] * (sent == 700)

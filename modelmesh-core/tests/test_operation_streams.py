"""Streams of every kind: failover before content, never after it, a proven end, and counted usage."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from modelmesh import ModelMesh
from modelmesh.contracts import OPERATIONS, FailureClass, Operation
from modelmesh.contracts.call import Call
from modelmesh.contracts.models import ModelInfo
from modelmesh.errors import AllProvidersExhaustedError, ProviderServerError, StreamInterruptedError

USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}


async def asleep(seconds: float) -> None: ...


class Stream:
    """Yields scripted items. An exception in the script is raised."""

    headers: dict[str, str] = {}
    adapted = ()

    def __init__(self, items: list[Any]) -> None:
        self.items, self.closed = items, False

    def __iter__(self) -> Iterator[Any]:
        for item in self.items:
            if isinstance(item, Exception):
                raise item
            yield copy.deepcopy(item)

    async def __aiter__(self) -> AsyncIterator[Any]:
        for item in self:
            yield item

    def commit(self) -> None: ...

    def expire_in(self, seconds: float) -> None: ...

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


class Vendor:
    id = "test.vendor.v1"
    native_operations = frozenset(OPERATIONS)

    def __init__(self, items: list[Any], capability: str) -> None:
        self.items, self.capabilities, self.streams = items, (capability,), []
        self.calls: list[Call] = []

    def models(self) -> list[ModelInfo]:
        return [ModelInfo("m")]

    def send(self, call: Call, model: str, limits: Any) -> Any:
        self.calls.append(call)
        self.streams.append(Stream(self.items))
        return self.streams[-1]

    async def asend(self, call: Call, model: str, limits: Any) -> Any:
        return self.send(call, model, limits)

    def close(self) -> None: ...

    async def aclose(self) -> None: ...


class World:
    """A mesh of two accounts, each with a scripted stream."""

    def __init__(self, operation: str, first: list[Any], second: list[Any] | None = None, **payload: Any) -> None:
        self.operation = OPERATIONS[operation]
        capability = self.operation.capability
        self.vendors = [Vendor(items, capability) for items in (first, *([] if second is None else [second]))]
        self.mesh = ModelMesh(sleep=lambda seconds: None, asleep=asleep)
        providers = {f"v{place}": {"instance": vendor} for place, vendor in enumerate(self.vendors)}
        self.mesh.initialize({"providers": providers, "pools": {"pool": {"capability": capability}}})
        self.payload = payload

    def call(self) -> Call:
        native = Call(self.operation, "pool", dict(self.payload), stream=True)
        if not self.operation.translates:
            return native
        return Call(OPERATIONS["chat.completions"], "pool", {"messages": []}, stream=True, native=native)

    def read(self, *, sync: bool, most: int | None = None) -> list[Any]:
        """Return the items of one stream, all of them or the first ones."""
        requests, found = self.mesh._requests, []
        if sync:
            call = self.call()
            stream = requests.stream(call, requests.serve(call))
            for item in stream:
                found.append(item)
                if len(found) == most:
                    break
            stream.close()  # type: ignore[attr-defined]
            return found

        async def main() -> None:
            call = self.call()
            stream = requests.astream(call, await requests.aserve(call))
            async for item in stream:
                found.append(item)
                if len(found) == most:
                    break
            await stream.aclose()  # type: ignore[attr-defined]

        asyncio.run(main())
        return found


def text(word: str, finish: str | None = None) -> dict[str, Any]:
    return {"id": "c", "object": "text_completion", "choices": [{"index": 0, "text": word, "finish_reason": finish}]}


def event(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, **fields}


RESPONSE = {"id": "resp_1", "object": "response", "model": "vendor-model", "status": "in_progress", "output": []}
TOKENS = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7, "output_tokens_details": {"reasoning_tokens": 1}}

# Each kind: items before content, items with content, the end.
KINDS: dict[str, tuple[list[Any], list[Any], list[Any]]] = {
    "completions": ([text("")], [text("Hel"), text("lo")], [text("", "stop"), {"choices": [], "usage": USAGE}]),
    "responses": (
        [event("response.created", response=RESPONSE), event("response.output_item.added", item={"type": "message"})],
        [event("response.output_text.delta", delta="Hel"), event("response.output_text.delta", delta="lo")],
        [event("response.completed", response={**RESPONSE, "status": "completed", "usage": TOKENS})],
    ),
    "messages": (
        [
            event(
                "message_start", message={"id": "msg_1", "role": "assistant", "usage": {"input_tokens": 5, "output_tokens": 1}}
            ),
            event("ping"),
            event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        ],
        [event("content_block_delta", index=0, delta={"type": "text_delta", "text": word}) for word in ("Hel", "lo")],
        [event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 2}), event("message_stop")],
    ),
    "audio.transcriptions": (
        [],
        [event("transcript.text.delta", delta="Hel"), event("transcript.text.delta", delta="lo")],
        [event("transcript.text.done", text="Hello", usage={"type": "tokens", **TOKENS})],
    ),
    "images.generate": (
        [],
        [event("image_generation.partial_image", b64_json="aGk="), event("image_generation.partial_image", b64_json="aGk=")],
        [event("image_generation.completed", b64_json="aGk=", usage=TOKENS)],
    ),
    "audio.speech": ([], [b"Hel", b"lo"], []),
}
COMPLETE = {name: [item for part in parts for item in part] for name, parts in KINDS.items()}
EACH = pytest.mark.parametrize("operation", KINDS)
BOTH = pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])


@EACH
@BOTH
def test_stream_complete_passes_every_item_and_counts_usage(operation: str, sync: bool) -> None:
    world = World(operation, COMPLETE[operation])
    with world.mesh as mesh:
        found = world.read(sync=sync)
        lost = (
            1 if operation in ("completions", "messages") else 0
        )  # usage moves to the finish chunk, and a keep-alive is dropped
        assert len(found) == len(COMPLETE[operation]) - lost
        assert world.vendors[0].streams[0].closed
        if operation != "audio.speech":
            assert (mesh.usage.total.prompt_tokens, mesh.usage.total.completion_tokens) == (5, 2)
        assert mesh.usage.total_requests == 1
        assert mesh.list_pools()[0].members[0].in_flight == 0


@EACH
@BOTH
@pytest.mark.parametrize("fault", ["breaks", "ends"])
def test_stream_fault_before_content_fails_over(operation: str, sync: bool, fault: str) -> None:
    start = KINDS[operation][0]
    world = World(
        operation, [*start, *([ProviderServerError("x", failure=FailureClass.SERVER)] * (fault == "breaks"))], COMPLETE[operation]
    )
    with world.mesh:
        found = world.read(sync=sync)
        assert found
        assert [len(vendor.calls) for vendor in world.vendors] == [1, 1]


@pytest.mark.parametrize(
    ("operation", "fault"),
    # the framing of HTTP proves the end of bytes, and the transport reports a body that ends early
    [(name, fault) for name in KINDS for fault in ("breaks", "ends") if (name, fault) != ("audio.speech", "ends")],
)
@BOTH
def test_stream_fault_after_content_is_an_interruption(operation: str, sync: bool, fault: str) -> None:
    start, content, _ = KINDS[operation]
    broken = [*start, *content, *([ProviderServerError("x", failure=FailureClass.SERVER)] * (fault == "breaks"))]
    world = World(operation, broken, COMPLETE[operation])
    with world.mesh as mesh:
        with pytest.raises(StreamInterruptedError) as caught:
            world.read(sync=sync)
        assert caught.value.partial_text == ("" if operation in ("images.generate", "audio.speech") else "Hello")
        assert len(world.vendors[1].calls) == 0, "no other model continues an answer"
        member = mesh.list_pools()[0].members[0]
        assert (member.in_flight, member.failure_count) == (0, 1)


@EACH
@BOTH
def test_stream_left_after_content_is_settled(operation: str, sync: bool) -> None:
    world = World(operation, COMPLETE[operation])
    with world.mesh as mesh:
        assert len(world.read(sync=sync, most=len(KINDS[operation][0]) + 1)) > 0
        member = mesh.list_pools()[0].members[0]
        assert (member.in_flight, member.failure_count, mesh.usage.total_requests) == (0, 0, 1)
        if operation != "audio.speech":
            assert mesh.usage.total.prompt_tokens == 5, "what had arrived was read and counted"


@pytest.mark.parametrize("operation", ["responses", "messages", "audio.transcriptions", "images.generate"])
@BOTH
def test_stream_left_at_its_last_event_is_answered(operation: str, sync: bool) -> None:
    world = World(operation, COMPLETE[operation])
    with world.mesh as mesh:
        lost = operation == "messages"
        world.read(sync=sync, most=len(COMPLETE[operation]) - lost)
        assert mesh.list_pools()[0].members[0].answered_at > 0


@pytest.mark.parametrize(
    ("operation", "failed"),
    [
        (
            "responses",
            event("response.failed", response={**RESPONSE, "error": {"code": "rate_limit_exceeded", "message": "slow"}}),
        ),
        ("responses", event("error", code="server_error", message="it broke", param=None)),
        ("messages", event("error", error={"type": "overloaded_error", "message": "busy"})),
    ],
)
@BOTH
def test_stream_failure_event(operation: str, failed: dict[str, Any], sync: bool) -> None:
    start, content, _ = KINDS[operation]
    world = World(operation, [*start, failed], COMPLETE[operation])
    with world.mesh:
        assert world.read(sync=sync)
        assert len(world.vendors[1].calls) == 1
    world = World(operation, [*start, *content, failed])
    with world.mesh, pytest.raises(StreamInterruptedError):
        world.read(sync=sync)
    world = World(operation, [*start, failed])
    with world.mesh, pytest.raises(AllProvidersExhaustedError) as caught:
        world.read(sync=sync)
    assert caught.value.attempts[-1].failure in ("throttle", "server")


@BOTH
def test_stream_of_responses_names_the_model_and_the_account(sync: bool) -> None:
    world = World("responses", COMPLETE["responses"])
    with world.mesh:
        found = world.read(sync=sync)
    assert [one["response"]["id"] for one in (found[0], found[-1])] == ["resp_1@v0"] * 2
    assert found[0]["response"]["model"] == "m"


@pytest.mark.parametrize("item", [b"bytes", "text", None])
def test_stream_item_of_the_wrong_type_fails_over(item: Any) -> None:
    world = World("responses", [item], COMPLETE["responses"])
    with world.mesh:
        assert world.read(sync=True)
    world = World("audio.speech", [{"type": "x"}], COMPLETE["audio.speech"])
    with world.mesh:
        assert world.read(sync=True) == [b"Hel", b"lo"]


DONE = KINDS["responses"][2][0]["response"]
DAMAGED = [
    ("responses", event("response.output_text.delta", delta=None)),
    ("responses", event("response.function_call_arguments.delta", delta={"a": 1})),
    ("responses", event("response.completed", response="done")),
    ("responses", event("response.completed", response={**DONE, "output": "Hello"})),
    ("messages", event("content_block_delta", delta="Hel")),
    ("audio.transcriptions", event("transcript.text.delta", delta=5)),
    ("audio.transcriptions", event("transcript.text.done", text=5)),
    ("images.generate", event("image_generation.completed", b64_json=5)),
]


@pytest.mark.parametrize(("operation", "damaged"), DAMAGED, ids=lambda one: str(one)[:60])
def test_event_with_a_part_of_the_wrong_type(operation: str, damaged: dict[str, Any]) -> None:
    start, content, end = KINDS[operation]
    world = World(operation, [*start, damaged, *end], COMPLETE[operation])
    with world.mesh:
        assert damaged not in world.read(sync=True)
        assert len(world.vendors[1].calls) == 1
    world = World(operation, [*start, *content, damaged, *end], COMPLETE[operation])
    with world.mesh, pytest.raises(StreamInterruptedError):
        world.read(sync=True)


@pytest.mark.parametrize(
    ("operation", "last"),
    [
        ("responses", event("response.completed", response=None)),
        ("responses", event("response.completed", response={**DONE, "output": []})),
        ("audio.transcriptions", event("transcript.text.done")),
        ("images.generate", event("image_generation.completed", b64_json="")),
        ("audio.speech", event("speech.audio.done")),
    ],
)
def test_last_event_without_any_content_fails_over(operation: str, last: dict[str, Any]) -> None:
    payload = {"stream_format": "sse"} if operation == "audio.speech" else {}
    good = [event("speech.audio.delta", audio="aGk="), event("speech.audio.done")] if payload else COMPLETE[operation]
    world = World(operation, [*([] if payload else KINDS[operation][0]), last], good, **payload)
    with world.mesh:
        assert world.read(sync=True)
        assert len(world.vendors[1].calls) == 1


def test_last_event_with_the_whole_answer_is_an_answer() -> None:
    message = {"type": "message", "content": [{"type": "output_text", "text": "Hello"}]}
    world = World("responses", [event("response.completed", response={**DONE, "output": [message]})], [])
    with world.mesh:
        assert world.read(sync=True)[0]["response"]["output"][0]["content"][0]["text"] == "Hello"


@pytest.mark.parametrize("count", [0, 500])
def test_stream_of_keep_alives_loses_no_event(count: int) -> None:
    start, content, end = KINDS["messages"]
    world = World("messages", [*[event("ping")] * count, *start, *content, *end])
    with world.mesh:
        assert [one["type"] for one in world.read(sync=True)][:2] == ["message_start", "content_block_start"]


def test_speech_as_events_ends_with_its_last_event() -> None:
    events = [event("speech.audio.delta", audio="aGk="), event("speech.audio.done", usage=TOKENS)]
    world = World("audio.speech", events, stream_format="sse")
    with world.mesh as mesh:
        assert world.read(sync=True) == events
        assert mesh.usage.total.completion_tokens == 2
    world = World("audio.speech", events[:1], stream_format="sse")
    with world.mesh, pytest.raises(StreamInterruptedError):
        world.read(sync=True)


@BOTH
def test_stream_of_a_capability_without_an_operation(sync: bool) -> None:
    world = World("search", [{"any": 1}, {"any": 2}])
    world.operation = Operation("acme.own", "", "acme.own")
    with world.mesh as mesh:
        mesh.get_router().get_pool("pool").operations = frozenset()
        assert world.read(sync=sync) == [{"any": 1}, {"any": 2}]
        assert mesh.usage.total_requests == 1


def test_partial_text_is_that_of_the_answer() -> None:
    start, content, _ = KINDS["responses"]
    others = [event("response.reasoning_text.delta", delta="Hm"), event("response.function_call_arguments.delta", delta="{}")]
    world = World("responses", [*start, *others, *content])
    with world.mesh as mesh, pytest.raises(StreamInterruptedError) as caught:
        world.read(sync=True)
    assert caught.value.partial_text == "Hello"
    assert mesh.usage.total.completion_tokens >= 4, "everything that was received is counted"

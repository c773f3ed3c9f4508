"""Faulty in-process providers, each with one fault, and the standard test that detects it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from modelmesh.contracts import FailureClass
from modelmesh.errors import ModelNotFoundError
from modelmesh_cdk import provider_error, read_row
from modelmesh_cdk.testing import InProcessProviderConformance, Turn

HEAD = {"id": "chatcmpl-test", "created": 1, "model": "test-model"}
CHAT = ["generation.text-generation.chat-completion"]


class Honest:
    """Correct provider."""

    id = "acme.honest.v1"
    rows: list[dict[str, Any]] = [{"id": "test-model", "capabilities": CHAT}]
    facts = {"source": "the model's card", "as_of": "2026-11-21"}

    def __init__(self, turn: Turn) -> None:
        self.turn = turn

    def models(self) -> Any:
        return [read_row(row, **self.facts) for row in self.rows]

    def send(self, call: Any, model: str, limits: Any) -> Any:
        self.check(call, model)
        pieces = self.stream(call, limits)
        return Stream(pieces, self.turn) if call.stream else Answer(self.whole(list(pieces)))

    async def asend(self, call: Any, model: str, limits: Any) -> Any:
        return self.send(call, model, limits)

    def check(self, call: Any, model: str) -> None:
        if model != "test-model":
            raise ModelNotFoundError("there is no such model", failure=FailureClass.NOT_FOUND)
        if call.payload.get("tools") or not isinstance(call.payload["messages"][0]["content"], str):
            raise provider_error(FailureClass.CAPABILITY, "it reads text only", status=400)

    def stream(self, call: Any, limits: Any) -> Iterator[dict[str, Any]]:
        yield chunk({"role": "assistant", "content": ""})
        for word in self.turn.words:
            yield chunk({"content": word})
        if self.turn.endless:
            self.wait(limits)
        if self.turn.error:
            raise self.typed(self.turn.error)
        if self.turn.finish:
            yield chunk({}, self.turn.finish)
        yield from self.counted(call)

    def wait(self, limits: Any) -> None:
        self.turn.stopped.set()
        raise provider_error(FailureClass.TIMEOUT, "the limit has passed")

    def typed(self, error: Exception) -> Exception:
        return provider_error(FailureClass.SERVER, str(error), status=500)

    def counted(self, call: Any) -> Iterator[dict[str, Any]]:
        if self.turn.usage:
            yield {**chunk({}), "choices": [], "usage": dict(self.turn.usage)}

    def whole(self, chunks: list[dict[str, Any]]) -> dict[str, Any]:
        choices = [one["choices"][0] for one in chunks if one["choices"]]
        finish = choices[-1]["finish_reason"] or self.unfinished()
        message = {"role": "assistant", "content": "".join(one["delta"].get("content") or "" for one in choices)}
        body = {**HEAD, "object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": finish}]}
        for one in chunks:
            body |= {name: value for name, value in one.items() if name == "usage"}
        return body

    def unfinished(self) -> str:
        raise provider_error(FailureClass.PROTOCOL, "it ended without a reason")

    def close(self) -> None:
        pass

    async def aclose(self) -> None:
        self.close()


class Answer:
    headers: dict[str, str] = {}
    adapted: tuple[str, ...] = ()

    def __init__(self, body: Any) -> None:
        self.body = body


class Stream:
    def __init__(self, pieces: Iterator[Any], turn: Turn) -> None:
        self.pieces, self.turn = pieces, turn

    def __iter__(self) -> Any:
        return self.pieces

    async def __aiter__(self) -> Any:
        for piece in self.pieces:
            yield piece
            await asyncio.sleep(0)

    def close(self) -> None:
        self.turn.stopped.set()

    async def aclose(self) -> None:
        self.close()


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {**HEAD, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


class Changes(Honest):
    """Base class of fakes that change each chunk in ``read`` or the response in ``whole``."""

    def stream(self, call, limits):
        return (self.read(one, one["choices"][0]["delta"] if one["choices"] else {}) for one in super().stream(call, limits))

    def read(self, chunk, delta):
        return chunk


class StripsTheAnswer(Honest):
    def whole(self, chunks):
        body = super().whole(chunks)
        body["choices"][0]["message"]["content"] = body["choices"][0]["message"]["content"].strip()
        return body


class TellsItsPath(Honest):
    def whole(self, chunks):
        return {**super().whole(chunks), "model": "/models/test.gguf"}


class AlwaysStops(Honest):
    def whole(self, chunks):
        body = super().whole(chunks)
        body["choices"][0]["finish_reason"] = "stop"
        return body


class ForgetsUsageInTasks(Honest):
    """Correct in threads, faulty in tasks."""

    async def asend(self, call, model, limits):
        answer = self.send(call, model, limits)
        if not call.stream:
            answer.body.pop("usage", None)
        return answer


class TakesUnknownForZero(Honest):
    def whole(self, chunks):
        return {"usage": {"total_tokens": 0}, **super().whole(chunks)}


class AnswersInHalves(Honest):
    def unfinished(self):
        return "stop"


class StripsWords(Changes):
    def read(self, chunk, delta):
        return {**chunk, "choices": []} if delta.get("content") == "lo " else chunk


class RepeatsTheRole(Changes):
    def read(self, chunk, delta):
        if delta:
            delta["role"] = "assistant"
        return chunk


class MakesUpIds(Changes):
    def read(self, chunk, delta):
        return {**chunk, "id": f"chatcmpl-{len(delta)}"}


class FinishesTwice(Honest):
    def counted(self, call):
        if self.turn.finish:
            yield chunk({}, self.turn.finish)
        yield from super().counted(call)


class CountsInEveryChunk(Changes):
    def read(self, chunk, delta):
        return {**chunk, "usage": dict(self.turn.usage or {})}


class InventsAFinish(Honest):
    def counted(self, call):
        if not self.turn.finish:
            yield chunk({}, "stop")


class OnceOnly(Stream):
    closed = False

    def close(self) -> None:
        if self.closed:
            message = "closed already"
            raise RuntimeError(message)
        self.closed = True


class ClosesStreamsOnce(Honest):
    def send(self, call, model, limits):
        answer = super().send(call, model, limits)
        return OnceOnly(answer.pieces, self.turn) if call.stream else answer


class WorksOn(Honest):
    kit = {"stops_within_s": 0.05}

    def send(self, call, model, limits):
        answer = super().send(call, model, limits)
        if call.stream:
            answer.turn = Turn()
        return answer


class LetsItsEngineRaise(Honest):
    def typed(self, error):
        return error


class TakesABreakForTheEnd(Honest):
    def send(self, call, model, limits):
        if call.stream and self.turn.error:
            self.turn.error = None
        return super().send(call, model, limits)


class KnowsNoLimits(Honest):
    def wait(self, limits):
        time.sleep(limits.total * 2)
        self.turn.stopped.set()


class GivesUpAndWorksOn(Honest):
    kit = {"stops_within_s": 0.05}

    def wait(self, limits):
        raise provider_error(FailureClass.TIMEOUT, "the limit has passed")


class AnswersForAnybody(Honest):
    def check(self, call, model):
        super().check(call, "test-model")


class IgnoresTools(Honest):
    def check(self, call, model):
        if not call.payload.get("tools"):
            super().check(call, model)


class ChangesTheCall(Honest):
    def check(self, call, model):
        super().check(call, model)
        call.payload["messages"][0]["role"] = "system"


class ClosesOnce(Honest):
    closed = False

    def close(self) -> None:
        if self.closed:
            message = "closed already"
            raise RuntimeError(message)
        self.closed = True


class HasNoVersion(Honest):
    id = "acme.honest"


class HasAnotherId(Honest):
    id = "acme.another.v1"


class ImportsAPrivateName(Honest):
    __module__ = "imports_a_private_name"


class IsUndated(Honest):
    facts = {"source": "the model's card", "as_of": "lately"}


class HasTwins(Honest):
    rows = Honest.rows * 2


class InventsACapability(Honest):
    rows = [{"id": "test-model", "capabilities": ["mind-reading"]}]


FAKES: list[tuple[type, str]] = [
    (StripsTheAnswer, "test_response_is_complete"),
    (TellsItsPath, "test_response_names_the_model"),
    (AlwaysStops, "test_response_has_finish_reason"),
    (ForgetsUsageInTasks, "test_response_has_usage"),
    (TakesUnknownForZero, "test_response_unknown_usage_is_not_zero"),
    (AnswersInHalves, "test_response_without_finish_is_a_failure"),
    (StripsWords, "test_stream_text_is_complete"),
    (RepeatsTheRole, "test_stream_has_one_role"),
    (MakesUpIds, "test_stream_has_one_id"),
    (FinishesTwice, "test_stream_has_one_finish_reason"),
    (CountsInEveryChunk, "test_stream_has_usage_once"),
    (InventsAFinish, "test_stream_without_end_is_incomplete"),
    (ClosesStreamsOnce, "test_stream_close_may_be_repeated"),
    (WorksOn, "test_stream_early_close_stops_the_engine"),
    (LetsItsEngineRaise, "test_engine_exception_is_a_failure"),
    (TakesABreakForTheEnd, "test_engine_exception_is_a_failure"),
    (KnowsNoLimits, "test_limits_stop_the_engine"),
    (GivesUpAndWorksOn, "test_limits_stop_the_engine"),
    (AnswersForAnybody, "test_unknown_model_is_not_found"),
    (IgnoresTools, "test_unsupported_feature_is_a_capability_error"),
    (ChangesTheCall, "test_call_is_not_changed"),
    (HasNoVersion, "test_id_follows_the_grammar"),
    (HasAnotherId, "test_id_equals_entry_point_name"),
    (ImportsAPrivateName, "test_package_imports_only_public_names"),
    (IsUndated, "test_models_have_source_and_date"),
    (HasTwins, "test_models_have_unique_ids"),
    (InventsACapability, "test_models_have_known_capabilities"),
    (ClosesOnce, "test_close_may_be_repeated"),
]
KIT = InProcessProviderConformance


class TestHonest(InProcessProviderConformance):
    provider_class: Any = Honest
    supports_tools = supports_images = False

    def make(self, turn: Turn) -> Any:
        return self.provider_class(turn)


for fake, _ in FAKES:
    name = f"Test{fake.__name__}"
    globals()[name] = type(name, (TestHonest,), {"provider_class": fake, "__module__": __name__, **getattr(fake, "kit", {})})

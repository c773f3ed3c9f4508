"""Faults of in-process providers that do not depend on the operation. Each is mixed into a correct provider."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from typing import Any

from attrs import evolve

from modelmesh.contracts import FailureClass
from modelmesh.errors import BadRequestError
from modelmesh_cdk import InProcessTask, provider_error
from modelmesh_cdk.testing import ScriptedModel
from modelmesh_cdk.testing.in_process.subject import SHORT_LIMITS


class RunsInvalidRequests:
    def check(self, payload):
        self.script.runs += 1
        super().check(payload)


class BlamesItself:
    def prepare(self, call):
        try:
            return super().prepare(call)
        except BadRequestError as error:
            raise provider_error(FailureClass.SERVER, "it failed") from error


class AnswersForAnybody:
    def send(self, call, model, limits):
        return super().send(call, self.name, limits)

    async def asend(self, call, model, limits):
        return await super().asend(call, self.name, limits)


class FailsOnOtherOperations:
    def send(self, call, model, limits):
        if call.operation.name not in self.operations:
            raise provider_error(FailureClass.SERVER, "what is that?", status=500)
        return super().send(call, model, limits)


class DropsSilently:
    def prepare(self, call):
        return evolve(super().prepare(call), adapted=())


class AdaptsStrictCalls:
    async def asend(self, call, model, limits):
        call.strict = False
        return await super().asend(call, model, limits)


class ChangesTheCall:
    def prepare(self, call):
        task = super().prepare(call)
        call.payload["user"] = "it"
        return task


class LetsItsEngineRaise:
    def send(self, call, model, limits):
        try:
            return super().send(call, model, limits)
        except Exception as error:
            if error.__cause__ is not None:
                raise error.__cause__ from None
            raise


class CallsItACancellation:
    async def asend(self, call, model, limits):
        try:
            return await super().asend(call, model, limits)
        except Exception as error:
            if error.__cause__ is not None:
                raise provider_error(FailureClass.CANCELLED, "it ended") from error
            raise


class AnswersLate:
    """Returns something when its limit has passed."""

    def send(self, call, model, limits):
        if self.script.endless and not call.stream:
            self.script.stopped.set()
            return InProcessTask(lambda *_: None)
        return super().send(call, model, limits)


class WorksOnAfterALimit:
    kit = {"stops_within_s": 0.05}

    def prepare(self, call):
        if self.script.endless:
            self.script.runs += 1
            raise provider_error(FailureClass.TIMEOUT, "the limit has passed")
        return super().prepare(call)


class BlocksTheLoop:
    async def asend(self, call, model, limits):
        return super().send(call, model, SHORT_LIMITS if self.script.endless else limits)


class WorksOnAfterCancellation:
    kit = {"stops_within_s": 0.2}

    async def asend(self, call, model, limits):
        self.script.started.set()
        await asyncio.sleep(60)


class HasNoPrice:
    @classmethod
    def shipped_model(cls):
        return evolve(super().shipped_model(), pricing=None)


class StatesAnotherCapability:
    @classmethod
    def shipped_model(cls):
        return evolve(super().shipped_model(), capabilities=("generation.text-generation.chat-completion",))


class LoadsAtOnce:
    def loader(self):
        model = self.script.load()
        return lambda: model


class LoadsForEachRequest:
    def send(self, call, model, limits):
        answer = super().send(call, model, limits)
        self.close()
        return answer


class AnswersWithNothing:
    def answer(self, body, task):
        return evolve(super().answer(body, task), body=type(body)())


class AnswersAsText:
    def answer(self, body, task):
        return evolve(super().answer(body, task), body=str(body))


class MixesUpRequests:
    """Keeps the current request on itself."""

    def send(self, call, model, limits):
        self.call = call
        time.sleep(0.02)
        return super().send(self.call, model, limits)


class MixesUpTasks:
    async def asend(self, call, model, limits):
        self.call = call
        await asyncio.sleep(0.01)
        return await super().asend(self.call, model, limits)


class UsesTheParentsEngine:
    def __init__(self, script: Any) -> None:
        super().__init__(script)
        self.process = os.getpid()

    def prepare(self, call):
        if os.getpid() != self.process:
            raise provider_error(FailureClass.SERVER, "the thread of the engine is gone")
        return super().prepare(call)


class ClosesOnce:
    closed = False

    def close(self):
        if self.closed:
            message = "closed already"
            raise RuntimeError(message)
        self.closed = True
        super().close()


class RunsOnWhenClosed:
    def send(self, call, model, limits):
        return super().send(call, model, SHORT_LIMITS if self.script.endless else limits)

    def close(self):
        pass


class LooksForUpdates:
    def prepare(self, call):
        try:
            socket.getaddrinfo("updates.acme.example", 443)
        except OSError:
            pass
        return super().prepare(call)


class EndsTwice:
    def final(self, *facts):
        yield from super().final(*facts)
        yield from super().final(*facts)


class NeverEnds:
    def final(self, *facts):
        yield None


class Wrapped:
    """Stream that differs in one way."""

    def __init__(self, stream, script):
        self.stream, self.headers, self.adapted = stream, stream.headers, stream.adapted
        self.script = script

    def __iter__(self):
        yield from self.stream

    def commit(self):
        self.stream.commit()

    def close(self):
        self.stream.close()


class Streaming:
    """Base class of faults whose streams in threads are of another class."""

    wrapper: Any = Wrapped

    def send(self, call, model, limits):
        found = super().send(call, model, limits)
        return self.wrapper(found, self.script) if call.stream else found


class LosesTheLastItem(Streaming):
    class wrapper(Wrapped):  # noqa: N801
        def __iter__(self):
            before = list(self.stream)
            yield from before[:-1]


class StreamsAllAtOnce(Streaming):
    class wrapper(Wrapped):  # noqa: N801
        def __iter__(self):
            items = list(self.stream)
            yield b"".join(items) if isinstance(items[0], bytes) else items[-1]


class ClosesStreamsOnce(Streaming):
    class wrapper(Wrapped):  # noqa: N801
        closed = False

        def close(self):
            if self.closed:
                message = "closed already"
                raise RuntimeError(message)
            self.closed = True
            super().close()


class WorksOnAfterClose(Streaming):
    kit = {"stops_within_s": 0.05}

    class wrapper(Wrapped):  # noqa: N801
        kept: list[Any] = []  # references, so that no generator is closed when it is freed

        def __iter__(self):
            self.kept.append(iter(self.stream))
            yield next(self.kept[-1])

        def close(self):
            self.script.started.wait(10)


class TakesAFailureForTheEnd(Streaming):
    class wrapper(Wrapped):  # noqa: N801
        def __iter__(self):
            try:
                yield from self.stream
            except Exception:
                return


class FinishesABrokenStream(Streaming):
    class wrapper(Wrapped):  # noqa: N801
        def __iter__(self):
            try:
                yield from self.stream
            except Exception:
                yield {"type": "speech.audio.done"}
                yield {"type": "transcript.text.done"}
                raise


class StreamsWithoutLimits(TakesAFailureForTheEnd):
    pass


class HasNoVersion:
    id = "acme.honest"


class HasAnotherId:
    id = "acme.another.v1"


class ImportsAPrivateName:
    pass


class IsUndated:
    facts = {"source": "the model's card", "as_of": "lately"}


class HasTwins:
    def models(self):
        return [*super().models()] * 2


class InventsACapability:
    @classmethod
    def shipped_model(cls):
        return evolve(super().shipped_model(), capabilities=("mind-reading",))


FAULTS: list[tuple[type, str]] = [
    (RunsInvalidRequests, "test_invalid_request_is_the_callers_error"),
    (BlamesItself, "test_invalid_request_is_the_callers_error"),
    (AnswersForAnybody, "test_unknown_model_is_not_found"),
    (FailsOnOtherOperations, "test_other_operation_is_a_capability_error"),
    (DropsSilently, "test_unknown_parameter_is_noted_or_refused"),
    (AdaptsStrictCalls, "test_strict_request_is_not_adapted"),
    (ChangesTheCall, "test_call_is_not_changed"),
    (LetsItsEngineRaise, "test_engine_exception_is_a_failure"),
    (CallsItACancellation, "test_engine_exception_is_a_failure"),
    (AnswersLate, "test_limits_stop_the_engine"),
    (WorksOnAfterALimit, "test_limits_stop_the_engine"),
    (BlocksTheLoop, "test_cancelled_task_stops_the_engine"),
    (WorksOnAfterCancellation, "test_cancelled_task_stops_the_engine"),
    (HasNoPrice, "test_models_state_price_and_capability"),
    (StatesAnotherCapability, "test_models_state_price_and_capability"),
    (LoadsAtOnce, "test_construction_loads_nothing"),
    (LoadsForEachRequest, "test_construction_loads_nothing"),
    (AnswersWithNothing, "test_answer_is_valid"),
    (AnswersAsText, "test_answer_is_valid"),
    (MixesUpRequests, "test_threads_and_tasks_get_own_answers"),
    (MixesUpTasks, "test_threads_and_tasks_get_own_answers"),
    (UsesTheParentsEngine, "test_forked_child_is_served"),
    (ClosesOnce, "test_close_may_be_repeated"),
    (RunsOnWhenClosed, "test_close_ends_a_running_request"),
    (LooksForUpdates, "test_installed_model_needs_no_network"),
    (IsUndated, "test_models_have_source_and_date"),
    (HasTwins, "test_models_have_unique_ids"),
    (InventsACapability, "test_models_have_known_capabilities"),
    (HasNoVersion, "test_id_follows_the_grammar"),
    (HasAnotherId, "test_id_equals_entry_point_name"),
    (ImportsAPrivateName, "test_package_imports_only_public_names"),
]
STREAM_FAULTS: list[tuple[type, str]] = [
    (LosesTheLastItem, "test_stream_is_complete"),
    (StreamsAllAtOnce, "test_stream_is_complete"),
    (EndsTwice, "test_stream_events_end_once"),
    (NeverEnds, "test_stream_events_end_once"),
    (ClosesStreamsOnce, "test_stream_close_may_be_repeated"),
    (WorksOnAfterClose, "test_stream_early_close_stops_the_engine"),
    (TakesAFailureForTheEnd, "test_stream_exception_is_a_failure"),
    (FinishesABrokenStream, "test_stream_exception_is_a_failure"),
    (StreamsWithoutLimits, "test_stream_limits_stop_the_engine"),
]


def mixed_into(honest: type, faults: list[tuple[type, str]]) -> list[tuple[type, str]]:
    """Return the faults as providers that are correct otherwise, with the tests that detect them."""
    found = []
    for fault, test in faults:
        module = "imports_a_private_name" if fault is ImportsAPrivateName else honest.__module__
        found.append((type(fault.__name__, (fault, honest), {"__module__": module}), test))
    return found


def suites_of(kit: Any, honest: type, fakes: list[tuple[type, str]]) -> dict[str, type]:
    """Return the faulty providers, and the test classes of them and of the correct one, by name."""

    class TestHonest(kit):
        provider_class: Any = honest

        def make(self, script: ScriptedModel) -> Any:
            return self.provider_class(script)

        def make_installed(self) -> Any:
            return self.provider_class(ScriptedModel())

    TestHonest.__module__ = honest.__module__
    found: dict[str, type] = {"TestHonest": TestHonest, **{fake.__name__: fake for fake, _ in fakes}}
    for fake, _ in fakes:
        name = f"Test{fake.__name__}"
        attributes = {"provider_class": fake, "__module__": honest.__module__, **getattr(fake, "kit", {})}
        found[name] = type(name, (TestHonest,), attributes)
    return found

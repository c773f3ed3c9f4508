"""Providers whose model runs in the process, with a model that can be paused and broken."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from types import ModuleType
from typing import Any, ClassVar

import pytest
from attrs import field, frozen

from modelmesh.contracts import CHAT, EMBEDDINGS, OPERATIONS, Answer, Call, FailureClass, ModelInfo, Provider
from modelmesh.contracts.call import Limits
from modelmesh.errors import (
    BadRequestError,
    ConfigurationError,
    ModelNotFoundError,
    ProviderError,
    ProviderServerError,
    ProviderTimeoutError,
)
from modelmesh_cdk import InProcessConfig, InProcessProvider, InProcessTask, import_onnxruntime, in_process_settings

LIMITS = Limits(first_content=20, gap=20, answer=20, total=20)
TINY = Limits(first_content=0.05, gap=0.05, answer=0.05, total=0.05)
ID = "acme.counter.v1"


@frozen(kw_only=True)
class CounterConfig(InProcessConfig):
    connector: str = field(default=ID, init=False)
    share: float = field(default=0.5, validator=in_process_settings.number(0))
    kind: str = field(default="plain", validator=in_process_settings.one_of("plain", "fancy"))


class Model:
    """Model that counts. ``gate`` pauses it."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.running = threading.Event()
        self.stopped = threading.Event()
        self.fault: Exception | None = None


class Counter(InProcessProvider):
    id: ClassVar[str] = ID
    label: ClassVar[str] = "counter"
    operations: ClassVar[tuple[str, ...]] = ("audio.speech",)
    config_class = CounterConfig

    def check_installed(self) -> None:
        if self.config.kind == "fancy":
            message = "the counter is not installed"
            raise ConfigurationError(message)

    def loader(self) -> Callable[[], Model]:
        return Model

    def prepare(self, call: Call) -> InProcessTask:
        adapted = ["voice dropped"] if "voice" in call.payload else []
        run = self.stream if call.stream else self.whole
        return InProcessTask.iterate(run, adapted, {"content-type": "audio/count"})

    @classmethod
    def shipped_model(cls) -> ModelInfo:
        return ModelInfo("counter", capabilities=("generation.audio.text-to-speech",))

    @staticmethod
    def whole(model: Model) -> Generator[bytes | None]:
        pieces = [piece for piece in Counter.stream(model) if piece is not None]
        if pieces:
            yield b"".join(pieces)

    @staticmethod
    def stream(model: Model) -> Generator[bytes | None]:
        model.running.set()
        try:
            yield b"one "
            while not model.gate.wait(0.002):
                yield None
            if model.fault is not None:
                raise model.fault
            yield b"two"
        except GeneratorExit:
            model.stopped.set()
            raise


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def counter(model: Model) -> Iterator[Counter]:
    made = Counter()
    made._load = lambda: model
    yield made
    model.gate.set()
    made.close()


def call_of(*, stream: bool = False, strict: bool = False, **payload: Any) -> Call:
    return Call(OPERATIONS["audio.speech"], "text-to-speech", {"input": "count", **payload}, stream, strict=strict)


def test_send_answer_has_body_headers_and_notes(counter: Counter) -> None:
    assert isinstance(counter, Provider)
    answer = counter.send(call_of(voice="x"), "counter", LIMITS)
    assert answer == Answer(b"one two", {"content-type": "audio/count"}, ["voice dropped"])
    assert asyncio.run(counter.asend(call_of(), "counter", LIMITS)).body == b"one two"  # type: ignore[union-attr]


def test_send_stream_passes_items_on(counter: Counter) -> None:
    stream = counter.send(call_of(stream=True), "counter", LIMITS)
    assert (list(stream), stream.headers) == ([b"one ", b"two"], {"content-type": "audio/count"})

    async def read() -> list[Any]:
        return [piece async for piece in await counter.asend(call_of(stream=True), "counter", LIMITS)]

    assert asyncio.run(read()) == [b"one ", b"two"]


@pytest.mark.parametrize(
    ("call", "name", "kind", "failure"),
    [
        (call_of(), "another", ModelNotFoundError, FailureClass.NOT_FOUND),
        (Call(CHAT, "chat-completion", {"messages": []}), "counter", BadRequestError, FailureClass.CAPABILITY),
        (Call(EMBEDDINGS, "text-embeddings", {"input": "x"}), "counter", BadRequestError, FailureClass.CAPABILITY),
        (call_of(voice="x", strict=True), "counter", BadRequestError, FailureClass.CAPABILITY),
    ],
)
def test_send_unsupported_request_is_typed(
    call: Call, name: str, kind: type[Exception], failure: FailureClass, counter: Counter
) -> None:
    with pytest.raises(kind) as caught:
        counter.send(call, name, LIMITS)
    assert caught.value.failure is failure  # type: ignore[attr-defined]
    with pytest.raises(kind):
        asyncio.run(counter.asend(call, name, LIMITS))


@pytest.mark.parametrize("fault", [RuntimeError("broken"), MemoryError(), OSError("no device")])
def test_send_exception_of_the_model_is_a_server_error(fault: Exception, counter: Counter, model: Model) -> None:
    model.fault = fault
    with pytest.raises(ProviderServerError, match="the counter failed") as caught:
        counter.send(call_of(), "counter", LIMITS)
    assert caught.value.__cause__ is fault
    received = []
    with pytest.raises(ProviderServerError):
        received.extend(counter.send(call_of(stream=True), "counter", LIMITS))
    model.fault = None
    assert counter.send(call_of(), "counter", LIMITS).body == b"one two"  # type: ignore[union-attr]


def test_send_task_without_result_is_a_failure(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counter, "stream", staticmethod(lambda _: iter(())))
    with pytest.raises(ProviderError) as caught:
        counter.send(call_of(), "counter", LIMITS)
    assert caught.value.failure is FailureClass.PROTOCOL


def test_stream_limit_close_and_cancellation_stop_the_model(counter: Counter, model: Model) -> None:
    model.gate.clear()
    stream = counter.send(call_of(stream=True), "counter", TINY)
    with pytest.raises(ProviderTimeoutError, match="the counter did not respond within"):
        list(stream)
    assert model.stopped.wait(10)

    model.stopped.clear()
    closed = counter.send(call_of(stream=True), "counter", LIMITS)
    assert next(iter(closed)) == b"one "
    closed.close()
    assert model.stopped.wait(10)

    model.stopped.clear()
    model.running.clear()

    async def cancel() -> None:
        async def read() -> None:
            async for _ in await counter.asend(call_of(stream=True), "counter", LIMITS):
                pass

        task = asyncio.create_task(read())
        await asyncio.to_thread(model.running.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert model.stopped.wait(10)
    model.gate.set()
    assert counter.send(call_of(), "counter", LIMITS).body == b"one two"  # type: ignore[union-attr]


def test_close_cancels_running_requests_and_a_later_one_loads_again(counter: Counter, model: Model) -> None:
    model.gate.clear()
    stream = iter(counter.send(call_of(stream=True), "counter", LIMITS))
    next(stream)
    counter.close()
    with pytest.raises(ProviderError, match="closed before its response was complete") as caught:
        next(stream)
    assert caught.value.failure is FailureClass.CANCELLED
    model.gate.set()
    assert counter.send(call_of(), "counter", LIMITS).body == b"one two"  # type: ignore[union-attr]
    asyncio.run(counter.aclose())


def test_after_fork_a_new_engine_loads_the_model(counter: Counter) -> None:
    counter.send(call_of(), "counter", LIMITS)
    before = counter._engine
    counter.after_fork()
    counter.send(call_of(), "counter", LIMITS)
    assert counter._engine is not before
    assert before is not None
    before.close()


def test_models_follow_the_settings() -> None:
    made = Counter({"model_id": "mine", "capabilities": ["acme.counting"], "threads": None}, timeout=3.0)
    (info,) = made.models()
    assert (info.id, info.name, info.capabilities, made.timeout) == ("mine", "mine", ("acme.counting",), 3.0)
    assert Counter.known_settings() == {"model_id", "threads", "timeout", "capabilities", "share", "kind"}
    assert made.describe()["model"] == "mine"


@pytest.mark.parametrize(
    ("name", "value"),
    [("share", -1), ("share", "x"), ("share", float("nan")), ("kind", "odd"), ("threads", 0), ("threads", True), ("model_id", 3)],
)
def test_config_invalid_value_is_named(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=rf"acme\.counter\.v1 got {name}="):
        Counter.from_config({name: value})


def test_provider_missing_package_is_reported_at_construction() -> None:
    with pytest.raises(ConfigurationError, match="not installed"):
        Counter(kind="fancy")


def test_import_onnxruntime_disables_telemetry_and_restores_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    seen: list[str | None] = []
    fake = ModuleType("onnxruntime")
    fake.disable_telemetry_events = lambda: seen.append("disabled")  # type: ignore[attr-defined]

    def load(name: str) -> ModuleType:
        seen.append(os.environ.get("ORT_DISABLE_TELEMETRY"))
        return fake

    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    monkeypatch.setattr("modelmesh_cdk.in_process.onnx_runtime.importlib.import_module", load)
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    assert import_onnxruntime() is fake
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY")
    assert import_onnxruntime() is fake
    assert seen == ["1", "disabled", "1", "disabled"]
    assert "ORT_DISABLE_TELEMETRY" not in os.environ

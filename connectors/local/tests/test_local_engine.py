"""Threads, limits and failures, with a fake library that can be paused and broken."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from modelmesh_connector_local import LocalProvider, provider, runtime

from modelmesh.contracts import FailureClass
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import (
    BadRequestError,
    ProviderError,
    ProviderInitError,
    ProviderServerError,
    ProviderTimeoutError,
)

NAME = "fake"
TINY = Limits(first_content=0.05, gap=0.05, answer=0.05, total=0.05)


class Library:
    """Fake library that returns two words. ``gate`` pauses it before the second, ``broken`` is raised."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.broken: Exception | None = None
        self.after_words: list[dict[str, Any]] = [self.chunk({}, "stop")]
        self.running = self.most = self.finished = 0
        self.stopped = threading.Event()

    @staticmethod
    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {"id": "c", "created": 1, "model": "/f.gguf", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    def handle_chat_completions(self, request: dict[str, Any], callback: Callable[[Any], bool]) -> None:
        assert request["stream"] is True
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            if self.broken:
                raise self.broken
            if callback(self.chunk({"role": "assistant", "content": "one"})):
                return self.stopped.set()
            while not self.gate.wait(0.005):
                if callback({**self.chunk({"content": None}), "prompt_progress": {}}):
                    return self.stopped.set()
            for piece in (self.chunk({"content": " two"}), *self.after_words):
                if callback(piece):
                    return self.stopped.set()
            self.finished += 1
        finally:
            self.running -= 1


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
def local(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalProvider]:
    monkeypatch.setattr(provider, "load", lambda *_: library)
    file = tmp_path / "fake.gguf"
    file.touch()
    made = LocalProvider(model_path=file)
    yield made
    library.gate.set()
    made.close()


def test_send_two_requests_return_responses(local: LocalProvider, chat: Callable[..., Call], limits: Limits) -> None:
    for _ in range(2):
        answer = local.send(chat(), NAME, limits)
        assert answer.body["choices"][0]["message"]["content"] == "one two"
        assert answer.body["model"] == NAME


def test_send_exceeded_limit_stops_generation(
    local: LocalProvider, library: Library, chat: Callable[..., Call], limits: Limits
) -> None:
    library.gate.clear()
    with pytest.raises(ProviderTimeoutError) as caught:
        local.send(chat(), NAME, TINY)
    assert caught.value.failure is FailureClass.TIMEOUT
    assert caught.value.timeout_seconds == 0.05
    assert library.stopped.wait(10)
    library.gate.set()
    assert local.send(chat(), NAME, limits).body["choices"][0]["finish_reason"] == "stop"


def test_send_time_in_queue_counts_towards_limit(
    local: LocalProvider, library: Library, chat: Callable[..., Call], limits: Limits
) -> None:
    library.gate.clear()
    first = local.send(chat(stream=True), NAME, limits)
    events = iter(first)
    assert next(events)["choices"][0]["delta"]["content"] == "one"  # the first request now occupies the model
    with pytest.raises(ProviderTimeoutError):
        local.send(chat(), NAME, TINY)
    assert not library.stopped.is_set()  # the queued request gave up, the first one continues
    first.close()
    library.gate.set()
    local.send(chat(), NAME, limits)


def test_stream_gap_after_content_is_limited(local: LocalProvider, library: Library, chat: Callable[..., Call]) -> None:
    library.gate.clear()
    library.handle_chat_completions = lambda _, callback: (callback(library.chunk({"content": "one"})), library.gate.wait(30))  # type: ignore[method-assign, assignment]
    stream = local.send(chat(stream=True), NAME, Limits(first_content=60, gap=0.05, total=60))
    events = iter(stream)
    next(events)
    stream.commit()
    with pytest.raises(ProviderTimeoutError) as caught:
        next(events)
    assert caught.value.timeout_seconds == 0.05


def test_engine_concurrent_requests_run_in_sequence(
    local: LocalProvider, library: Library, chat: Callable[..., Call], limits: Limits
) -> None:
    texts: list[str] = []
    work = [
        threading.Thread(target=lambda: texts.append(local.send(chat(), NAME, limits).body["choices"][0]["message"]["content"]))
        for _ in range(8)
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join(30)
    assert texts == ["one two"] * 8
    assert library.most == 1


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (ValueError("'messages' is required"), BadRequestError),
        (TypeError("not JSON serializable"), BadRequestError),
        (RuntimeError("Failed to parse messages: null"), BadRequestError),
        (RuntimeError("out of memory"), ProviderServerError),
        (MemoryError(), ProviderServerError),
    ],
)
def test_send_library_exception_is_mapped(
    broken: Exception, kind: type[Exception], local: LocalProvider, library: Library, chat: Callable[..., Call], limits: Limits
) -> None:
    library.broken = broken
    with pytest.raises(kind):
        local.send(chat(), NAME, limits)
    with pytest.raises(kind):
        list(local.send(chat(stream=True), NAME, limits))
    library.broken = None
    local.send(chat(), NAME, limits)


def test_send_after_failed_load_loads_again(
    local: LocalProvider, library: Library, chat: Callable[..., Call], limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def load() -> Library:
        tries.append(1)
        if len(tries) == 1:
            message = "no memory"
            raise ProviderInitError(message, failure=FailureClass.CONNECTOR_BUG)
        return library

    monkeypatch.setattr(local, "_load", load)
    with pytest.raises(ProviderInitError):
        local.send(chat(), NAME, limits)
    local.send(chat(), NAME, limits)
    local.send(chat(), NAME, limits)
    assert len(tries) == 2


def engine_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "modelmesh-local"}


def test_close_cancels_running_and_queued_requests(
    local: LocalProvider, library: Library, chat: Callable[..., Call], limits: Limits
) -> None:
    earlier = engine_threads()  # of other tests in this process
    library.gate.clear()
    running = local.send(chat(stream=True), NAME, limits)
    events = iter(running)
    next(events)
    waiting = local.send(chat(stream=True), NAME, limits)
    local.close()
    for stream in (events, iter(waiting)):
        with pytest.raises(ProviderError) as caught:
            list(stream)
        assert caught.value.failure is FailureClass.CANCELLED
    assert engine_threads() <= earlier
    library.gate.set()
    local.send(chat(), NAME, limits)  # the provider works again


def test_provider_garbage_collected_ends_thread(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chat: Callable[..., Call], limits: Limits
) -> None:
    monkeypatch.setattr(provider, "load", lambda *_: library)
    file = tmp_path / "fake.gguf"
    file.touch()
    earlier = engine_threads()  # of other tests in this process
    made = LocalProvider(model_path=file)
    made.send(chat(), NAME, limits)
    (thread,) = engine_threads() - earlier
    gone = weakref.ref(made)
    del made
    gc.collect()
    assert gone() is None
    thread.join(30)
    assert not thread.is_alive()


def test_asend_cancelled_task_stops_generation(
    local: LocalProvider, library: Library, chat: Callable[..., Call], limits: Limits
) -> None:
    library.gate.clear()

    async def main() -> None:
        task = asyncio.create_task(local.asend(chat(), NAME, limits))
        while not library.running:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(library.stopped.wait, 10)
        library.gate.set()
        assert (await local.asend(chat(), NAME, limits)).body["choices"][0]["message"]["content"] == "one two"
        await local.aclose()

    asyncio.run(main())
    assert library.stopped.is_set()


def test_asend_exceeded_limit_raises_timeout(local: LocalProvider, library: Library, chat: Callable[..., Call]) -> None:
    library.gate.clear()

    async def main() -> None:
        with pytest.raises(ProviderTimeoutError):
            await local.asend(chat(), NAME, TINY)
        stream = await local.asend(chat(stream=True), NAME, TINY)
        with pytest.raises(ProviderTimeoutError):
            [chunk async for chunk in stream]

    asyncio.run(main())
    assert library.stopped.wait(10)


def test_asend_closed_event_loop_keeps_engine_running(
    local: LocalProvider, library: Library, chat: Callable[..., Call], limits: Limits
) -> None:
    library.gate.clear()

    async def main() -> None:
        await local.asend(chat(stream=True), NAME, limits)  # never read, never closed

    asyncio.run(main())
    library.gate.set()
    assert local.send(chat(), NAME, limits).body["choices"][0]["message"]["content"] == "one two"


def test_send_invalid_model_file_raises_init_error(tmp_path: Path, chat: Callable[..., Call], limits: Limits) -> None:
    pytest.importorskip("xllamacpp")
    file = tmp_path / "fake.gguf"
    file.write_bytes(b"GGUF" + b"\0" * 64)
    made = LocalProvider(model_path=file)
    with pytest.raises(ProviderInitError, match="model_path"):
        made.send(chat(), NAME, limits)
    made.close()


def test_load_without_library_raises_init_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def raise_import_error(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(runtime.importlib, "import_module", raise_import_error)
    with pytest.raises(ProviderInitError, match="xllamacpp"):
        runtime.load(provider.LocalConfig(), tmp_path / "x.gguf")

"""Interrupts between any two lines of a request, and the return of its place and reservation."""

from __future__ import annotations

import gc
import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import modelmesh
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import Answer

PACKAGE = str(Path(modelmesh.__file__).parent)
CHAT = "generation.text-generation.chat-completion"
CALL: dict[str, Any] = {"model": "chat-completion", "messages": [{"role": "user", "content": "x"}]}


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


class Stream:
    headers: dict[str, str] = {}
    adapted: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.chunks = iter([chunk({"role": "assistant", "content": "a"}), chunk({"content": "b"}), chunk({}, "stop")])

    def __iter__(self) -> Any:
        return self.chunks

    def commit(self) -> None:
        pass

    def close(self) -> None:
        pass


class Provider:
    id = "test.interrupted.v1"
    capabilities = (CHAT,)

    def models(self) -> list[ModelInfo]:
        return [ModelInfo("m")]

    def send(self, call: Any, model: str, limits: Any) -> Any:
        if call.stream:
            return Stream()
        message = {"role": "assistant", "content": "ok"}
        return Answer({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": {"total_tokens": 2}})

    async def asend(self, call: Any, model: str, limits: Any) -> Any:
        raise NotImplementedError


def plain(client: Any) -> None:
    client.chat.completions.create(**CALL)


def streamed(client: Any) -> None:
    list(client.chat.completions.create(**CALL, stream=True))


def abandoned(client: Any) -> None:
    with client.chat.completions.create(**CALL, stream=True) as stream:
        next(iter(stream))


def interrupted(request: Callable[[], None], line: int) -> bool:
    """Run a request with an interrupt at its n-th line inside the package. Return ``False`` if it has fewer lines."""
    seen = itertools.count()

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line" and next(seen) == line:
            sys.settrace(None)
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    try:
        sys.settrace(trace)
        request()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("request_of", [plain, streamed, abandoned])
def test_interrupt_at_any_line_releases_lease_and_reservation(
    request_of: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)  # pytest's hook keeps the frames and thereby the stream
    provider: dict[str, Any] = {"instance": Provider(), "quota": {"requests_per_day": 10**6}}
    with modelmesh.create(config={"providers": {"a": provider}, "pools": {"chat-completion": {}}}) as client:
        request_of(client)  # imports and caches come first
        (candidate,) = client.mesh.list_models()
        line = 0
        while interrupted(lambda: request_of(client), line):
            gc.collect(0)
            assert not client.mesh._core.health.leases, line
            assert (candidate.account.in_flight, candidate.health.in_flight) == (0, 0), line
            assert [counter.reserved for counter in client.mesh._core.reservations.counters_of(candidate.account)] == [0], line
            line += 1
        assert line > 100
        request_of(client)

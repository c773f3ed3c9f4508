"""The mesh's own work: calls over a transport that answers at once, with and without features, and memory of idle clients."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from modelmesh_connector_openai import OpenAIProvider
from upstream.answers import OPENAI_BODY, OPENAI_EVENTS

import modelmesh
from subjects.concurrency import in_turn
from subjects.mesh import ASK, POOL, chunks_in_turn, config
from subjects.process_memory import resident_kib
from subjects.requests import MODEL
from subjects.setting import Runner, Setting

CLIENTS = 100
CALLS = 500
SETTLE_S = 0.1
"""Time for the threads of sinks after a turn, so that their work counts too."""


class _CannedResponse:
    status = 200

    def __init__(self, content_type: str, parts: Sequence[bytes]) -> None:
        self.headers, self._parts = {"content-type": content_type}, parts

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._parts)

    def close(self) -> None:
        pass


class CannedTransport:
    """A transport that answers every request with the same completion, plain or as a stream."""

    def send(self, _method: str, _url: str, _headers: Any, body: bytes, _deadline: Any) -> _CannedResponse:
        if b'"stream":true' in body:
            return _CannedResponse("text/event-stream", OPENAI_EVENTS)
        return _CannedResponse("application/json", (OPENAI_BODY,))

    def close(self) -> None:
        pass


def _create(account: dict[str, Any] | None = None, **sections: Any) -> Any:
    """Return ``create`` over the canned transport, with settings of its account and of the whole mesh."""
    transport = CannedTransport()
    provider = OpenAIProvider(base_url="http://127.0.0.1:9/v1", api_key="test", models=[MODEL], transport=transport)
    settings = {"providers": {"account": {"instance": provider, **(account or {})}}, "pools": {POOL: {}}, **sections}
    return modelmesh.create(config=settings).chat.completions.create


def _call(account: dict[str, Any] | None = None, **sections: Any) -> Callable[[], object]:
    create = _create(account, **sections)
    return lambda: create(**ASK).choices[0].message.content


def call(_setting: Setting) -> Runner:
    """Calls in a hot loop."""
    return in_turn(_call())


def chunk(_setting: Setting) -> Runner:
    """The chunks of a stream in a hot loop, each of which is read."""
    return chunks_in_turn(_create())


def call_among_real(setting: Setting) -> Runner:
    """Calls of which each follows a real one, which is not counted: caches are as cold as in a program."""
    canned, create = _call(), modelmesh.create(config=config(f"{setting.url}/v1")).chat.completions.create

    def run(times: int) -> dict[str, float]:
        took = 0.0
        for _ in range(times):
            assert create(**ASK).choices[0].message.content
            began = time.process_time()
            canned()
            took += time.process_time() - began
        return {"cpu": took / times}

    return lambda _times: run(CALLS)


BUDGET: dict[str, Any] = {"budget": {"daily_limit": 100_000}}
QUOTA: dict[str, Any] = {
    "quota": {"requests_per_minute": 10_000_000, "requests_per_day": 100_000_000, "tokens_per_minute": 1_000_000_000}
}


def _file_sink() -> dict[str, Any]:
    file = Path(mkdtemp()) / "mesh.log"
    return {"observability": {"connector": "modelmesh.file.v1", "path": str(file), "logging": {"level": "metadata"}}}


def _settled(once: Callable[[], object]) -> Runner:
    repeat = in_turn(once)

    def run(_times: int) -> dict[str, float]:
        cpu, thread = time.process_time(), time.thread_time()
        repeat(CALLS)
        thread = time.thread_time() - thread
        time.sleep(SETTLE_S)
        return {"cpu": (time.process_time() - cpu) / CALLS, "thread": thread / CALLS}

    run(CALLS)
    return run


def call_settled(_setting: Setting) -> Runner:
    """Calls without features, measured like those with features."""
    return _settled(_call())


def call_with_budget(_setting: Setting) -> Runner:
    """With a budget."""
    return _settled(_call(BUDGET))


def call_with_quota(_setting: Setting) -> Runner:
    """With a quota of requests and tokens."""
    return _settled(_call(QUOTA))


def call_with_file_sink(_setting: Setting) -> Runner:
    """With a file sink for finished requests."""
    _need_file_sink()
    return _settled(_call(**_file_sink()))


def call_with_all(_setting: Setting) -> Runner:
    """With a budget, a quota and a file sink."""
    _need_file_sink()
    return _settled(_call({**BUDGET, **QUOTA}, **_file_sink()))


def _need_file_sink() -> None:
    import modelmesh_observability_file  # noqa: F401, PLC0415 - a missing package is reported as such


def idle_client(_setting: Setting) -> Runner:
    """Resident memory of a client that was created and not used."""
    settings = config("http://127.0.0.1:9/v1")
    kept = [modelmesh.create(config=settings) for _ in range(10)]

    def run(_times: int) -> dict[str, float]:
        gc.collect()
        before = resident_kib()
        kept.extend(modelmesh.create(config=settings) for _ in range(CLIENTS))
        gc.collect()
        return {"kib": (resident_kib() - before) / CLIENTS}

    return run

"""The comparisons of the benchmarks."""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
from measure import Effort, Result, Subject, measured, result
from selection import selection_cases
from server import EVENTS

import modelmesh
from modelmesh._engine.builtin.stick_until_failure import StickUntilFailure
from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.flow import serve
from modelmesh._engine.routing.pool import Pool
from modelmesh.contracts import CHAT
from modelmesh.contracts.call import Call
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import Answer

MODEL = "gpt-4o-mini"
MESSAGES = [{"role": "user", "content": "Hello, how are you today?"}]
PLAIN = {"model": MODEL, "messages": MESSAGES}
STREAMED = {**PLAIN, "stream": True}
HEADERS = {"Authorization": "Bearer test"}
ASK = {"model": "chat-completion", "messages": MESSAGES}


class FirstOfPool:
    """The strategy of the failover case: the failing model stays first."""

    id = "benchmark.first.v1"

    def select(self, candidates: Any, request: Any) -> Any:
        return candidates.first()


def config(*base_urls: str) -> dict[str, Any]:
    """A mesh over some addresses without circuit breakers."""
    providers = {
        f"account{place}": {"connector": "openai.llm.v1", "api_key": "test", "base_url": url, "models": [MODEL]}
        for place, url in enumerate(base_urls)
    }
    pool = {"strategy_instance": FirstOfPool(), "deactivation": {"error_codes": [599]}}
    return {"providers": providers, "pools": {"chat-completion": pool}}


def call_cases(url: str, effort: Effort) -> Iterator[Result]:
    """Threads: plain calls, and a call with a failing first model."""
    endpoint = f"{url}/v1/chat/completions"
    with (
        httpx2.Client(trust_env=False) as raw,
        modelmesh.create(config=config(url)) as mesh,
        modelmesh.create(config=config(f"{url}/500/v1", url)) as failing,
    ):
        assert len(failing.chat.completions.create(**ASK).attempts) == 2

        def raw_call(times: int) -> None:
            for _ in range(times):
                assert raw.post(endpoint, json=PLAIN, headers=HEADERS).json()["choices"][0]["message"]["content"]

        def mesh_call(times: int, client: Any = mesh) -> None:
            for _ in range(times):
                assert client.chat.completions.create(**ASK).choices[0].message.content

        def failover(times: int) -> None:
            mesh_call(times, failing)

        rounds = measured({"raw": raw_call, "mesh": mesh_call, "failover": failover}, effort.calls, effort.rounds)
    yield result("sync_call", "sync call: mesh / raw httpx2", [r["mesh"] / r["raw"] for r in rounds], target=1.25)
    extra = [(r["failover"] - r["mesh"]) / r["mesh"] for r in rounds]
    yield result("failover", "failover after an instant 500: its extra / one healthy call", extra, target=2.0)


def stream_cases(url: str, effort: Effort) -> Iterator[Result]:
    """Threads: streams, compared with raw bytes and with the official SDK."""
    endpoint = f"{url}/v1/chat/completions"
    with httpx2.Client(trust_env=False) as raw, modelmesh.create(config=config(url)) as mesh:

        def raw_stream(times: int) -> None:
            for _ in range(times):
                with raw.stream("POST", endpoint, json=STREAMED, headers=HEADERS) as response:
                    assert sum(1 for _ in response.iter_bytes()) > EVENTS // 4

        def mesh_stream(times: int) -> None:
            for _ in range(times):
                stream = mesh.chat.completions.create(**ASK, stream=True)
                assert sum(1 for chunk in stream if chunk.choices[0].delta.content) == EVENTS

        sdk_stream = _sdk_stream(url)
        subjects = {"raw": raw_stream, "mesh": mesh_stream, **({"sdk": sdk_stream} if sdk_stream else {})}
        rounds = measured(subjects, effort.streams, effort.rounds)
    ratios = [r["mesh"] / r["raw"] for r in rounds]
    yield result("sync_stream", "streamed chunk: mesh / raw httpx2 iter_bytes", ratios, target=2.0)
    title = "streamed chunk: mesh / openai SDK"
    if sdk_stream is None:
        yield Result("sync_stream_sdk", f"{title} (not installed)", None, target=0.25)
    else:
        yield result("sync_stream_sdk", title, [r["mesh"] / r["sdk"] for r in rounds], target=0.25)


def _sdk_stream(url: str) -> Subject | None:
    try:
        import openai  # noqa: PLC0415 - a peer that need not be there
    except ImportError:
        return None
    sdk = openai.OpenAI(api_key="test", base_url=f"{url}/v1", max_retries=0)

    def sdk_stream(times: int) -> None:
        for _ in range(times):
            stream: Any = sdk.chat.completions.create(**STREAMED)  # type: ignore[call-overload]
            assert sum(1 for chunk in stream if chunk.choices[0].delta.content) == EVENTS

    return sdk_stream


def async_cases(url: str, effort: Effort) -> Iterator[Result]:
    """Calls and streams for asyncio, on one event loop, without targets."""
    with asyncio.Runner() as loop:
        subjects = _AsyncSubjects(f"{url}/v1/chat/completions", config(url))

        def driven(subject: Callable[[int], Coroutine[Any, Any, None]]) -> Subject:
            return lambda times: loop.run(subject(times))

        calls = {"raw": driven(subjects.raw_call), "mesh": driven(subjects.mesh_call)}
        ratios = [r["mesh"] / r["raw"] for r in measured(calls, effort.calls, effort.rounds)]
        yield result("async_call", "async call: mesh / raw httpx2", ratios)
        streams = {"raw": driven(subjects.raw_stream), "mesh": driven(subjects.mesh_stream)}
        ratios = [r["mesh"] / r["raw"] for r in measured(streams, effort.streams, effort.rounds)]
        yield result("async_stream", "async streamed chunk: mesh / raw httpx2 aiter_bytes", ratios)
        loop.run(subjects.aclose())


class _AsyncSubjects:
    def __init__(self, endpoint: str, settings: dict[str, Any]) -> None:
        self._endpoint = endpoint
        self._raw, self._mesh = httpx2.AsyncClient(trust_env=False), modelmesh.create_async(config=settings)

    async def raw_call(self, times: int) -> None:
        for _ in range(times):
            response = await self._raw.post(self._endpoint, json=PLAIN, headers=HEADERS)
            assert response.json()["choices"][0]["message"]["content"]

    async def mesh_call(self, times: int) -> None:
        for _ in range(times):
            assert (await self._mesh.chat.completions.create(**ASK)).choices[0].message.content

    async def raw_stream(self, times: int) -> None:
        for _ in range(times):
            async with self._raw.stream("POST", self._endpoint, json=STREAMED, headers=HEADERS) as response:
                assert len([1 async for _ in response.aiter_bytes()]) > EVENTS // 4

    async def mesh_stream(self, times: int) -> None:
        for _ in range(times):
            stream = await self._mesh.chat.completions.create(**ASK, stream=True)
            assert len([1 async for chunk in stream if chunk.choices[0].delta.content]) == EVENTS

    async def aclose(self) -> None:
        await self._raw.aclose()
        await self._mesh.mesh.ashutdown()


_IMPORT = """
import sys, time
began = time.process_time()
{statement}
took = time.process_time() - began
print(took, int("httpx2" in sys.modules))
"""


def _imported(statement: str, compiled: str) -> tuple[float, bool]:
    # An installed package is compiled and a checkout may not be, so both are compiled to one place.
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    run = subprocess.run(
        [sys.executable, "-c", _IMPORT.format(statement=statement)],
        capture_output=True,
        text=True,
        check=True,
        env={**variables, "PYTHONPYCACHEPREFIX": compiled},
    )
    took, has_httpx2 = run.stdout.split()
    return float(took), has_httpx2 == "1"


def import_cases(_url: str, effort: Effort) -> Iterator[Result]:
    """CPU time of imports in fresh processes.

    Raises:
        AssertionError: ``import modelmesh`` imported httpx2.
    """
    plain, first_use = [], []
    with TemporaryDirectory() as compiled:
        for turn in range(effort.rounds + 1):
            base, _has = _imported("import httpx2", compiled)
            took, has_httpx2 = _imported("import modelmesh", compiled)
            assert not has_httpx2, "import modelmesh must not import httpx2"
            with_create, _has = _imported("from modelmesh import create", compiled)
            if turn:  # the first process compiled the files
                plain.append(took / base)
                first_use.append(with_create / base)
    yield result("import", "import modelmesh / import httpx2", plain, target=1.0)
    yield result("import_create", "from modelmesh import create / import httpx2", first_use)


def routing_cases(_url: str, effort: Effort) -> Iterator[Result]:
    """The decision alone: the flow, driven by hand, without a provider."""
    pools = {size: _pool(size) for size in (10, 10_000)}
    call = Call(CHAT, "pool", {"messages": MESSAGES})
    body = {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1},
    }
    answer, rng = Answer(body), random.Random(0)

    def routed(pool: Pool, times: int) -> None:
        for _ in range(times):
            flow = serve(call, pool, clock=time.monotonic, rng=rng)
            next(flow)
            with suppress(StopIteration):
                step = flow.send(answer)
                message = f"the answer was rejected, and the flow goes on with {step}"
                raise AssertionError(message)

    subjects = {str(size): lambda times, pool=pool: routed(pool, times) for size, pool in pools.items()}
    rounds = measured(subjects, effort.steps, effort.rounds)
    for size, pool in pools.items():
        assert pool.total_requests > effort.rounds * effort.steps
        title = f"routing one request among {size:,} models"
        yield result(f"routing_{size}", title, [r[str(size)] * 1e6 for r in rounds], unit="us", target=60.0)
    yield result("routing_flat", "routing: 10,000 models / 10 models", [r["10000"] / r["10"] for r in rounds], target=1.5)


def _pool(size: int) -> Pool:
    accounts = [
        ProviderHealth(provider_id=f"account{n}", connector_id="benchmark.vendor.v1", names=(f"account{n}",)) for n in range(10)
    ]
    members = [
        Candidate(f"model{n}", f"model{n}", ModelInfo(f"model{n}"), None, accounts[n % 10])  # type: ignore[arg-type]
        for n in range(size)
    ]
    return Pool("pool", "", members, StickUntilFailure(), HealthRegistry(draw=lambda: 0.5))


CASES = (call_cases, stream_cases, async_cases, import_cases, routing_cases, selection_cases)


def calibration() -> float:
    """CPU milliseconds of a fixed piece of pure Python, to compare machines by."""
    took = []
    for _ in range(5):
        began = time.process_time()
        json.loads(json.dumps([{"n": n, "text": str(n)} for n in range(20_000)]))
        took.append(time.process_time() - began)
    return statistics.median(took) * 1000

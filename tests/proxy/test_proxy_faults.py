"""The fault matrix through a running proxy: every fault of a vendor, with the official SDK as the client and over plain HTTP.

All cells run at the same time against one proxy. Each has a pool of its own with a faulty and a healthy provider, so no cell
affects another.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from attrs import define, field
from waiting import wait_for

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "faults"))
import matrix
import operation_ways

from modelmesh import ModelMesh
from modelmesh_proxy import ProxyServer

SLACK_S = 60.0
WITHOUT_METHOD = ("rerank", "files upload")
"""Operations that the SDK does not have, or that have no pool."""

CAPABILITIES = {"chat": "chat-completion", **{name: way.capability for name, way in operation_ways.WAYS.items()}}


Outcome = tuple[list["Cell"], ProxyServer, ModelMesh]


@define
class Cell:
    """One request through the proxy."""

    number: int
    fault: str
    way: str
    expect: str
    end: str = ""
    violations: list[str] = field(factory=list)

    @property
    def pool(self) -> str:
        return f"cell-{self.number}"


class Renamed:
    """A client whose requests go to one pool."""

    def __init__(self, target: Any, pool: str) -> None:
        self._target, self._pool = target, pool

    def __getattr__(self, name: str) -> Renamed:
        return Renamed(getattr(self._target, name), self._pool)

    def __call__(self, **arguments: Any) -> Any:
        return self._target(**{**arguments, "model": self._pool})


def all_cells() -> list[Cell]:
    rows = [(fault, way, expect) for fault, way, is_async, expect in matrix.cells() if is_async or way not in matrix.WAYS]
    unique = dict.fromkeys(row for row in rows if row[1] not in WITHOUT_METHOD and row[0] not in matrix.TWICE)
    return [Cell(number, *row) for number, row in enumerate(unique)]


def configuration(cells: list[Cell], ports: dict[str, int]) -> dict[str, Any]:
    found: dict[str, Any] = {"providers": {}, "models": {}, "pools": {}, "proxy": {"limits": {"requests": 5000}}}
    for cell in cells:
        keys = (f"faulty-{cell.number}", f"healthy-{cell.number}")
        capability = CAPABILITIES.get(cell.way, "chat-completion")
        for key, entry in zip(keys, matrix.config(cell.fault, ports)["providers"].values(), strict=True):
            found["providers"][key] = {name: value for name, value in entry.items() if name != "models"}
            limit = 2 if key.startswith("faulty") else 40  # more than in the matrix, because many cells run at once
            found["providers"][key] |= {"timeout": limit, "timeouts": dict.fromkeys(("first_content", "gap", "total"), limit)}
            found["models"][f"m-{key}"] = {"provider": key, "model": "m", "capabilities": [capability]}
        found["pools"][cell.pool] = {"capability": capability, "providers": list(keys), "timeouts": {"total": 60}}
    return found


@pytest.fixture(scope="module")
def outcome() -> Iterator[Outcome]:
    cells = all_cells()
    with matrix.server() as ports, matrix.no_such_host():
        with ModelMesh(configuration(cells, ports)) as mesh:
            server = ProxyServer(mesh, port=0)
            server.start(block=False)
            try:
                asyncio.run(ask_all(cells, f"http://127.0.0.1:{server.get_status().port}/v1"))
                yield cells, server, mesh
            finally:
                server.stop()


async def ask_all(cells: list[Cell], url: str) -> None:
    at_once = asyncio.Semaphore(16)  # more would measure this machine
    async with openai.AsyncOpenAI(base_url=url, api_key="test", max_retries=0, timeout=120) as sdk, httpx2.AsyncClient() as http:

        async def ask(cell: Cell) -> None:
            async with at_once:
                began = time.monotonic()
                await (
                    ask_raw(cell, http, url) if cell.way.endswith("stream") and cell.way in matrix.WAYS else ask_sdk(cell, sdk)
                )
                if time.monotonic() - began > 4 * 2 + SLACK_S:
                    cell.violations.append("hung")

        await asyncio.gather(*map(ask, cells))


async def ask_sdk(cell: Cell, sdk: openai.AsyncOpenAI) -> None:
    parts: list[Any] = []
    try:
        answer = matrix.ask(Renamed(sdk, cell.pool), cell.way, cell.fault)
        if cell.way == "speech stream":
            async with answer as stream:
                parts = [piece async for piece in stream.iter_bytes()]
        elif matrix.is_stream(cell.way):
            parts = [part async for part in await answer]
        elif cell.way == "speech":
            parts = [(await answer).content]
        else:
            parts = [await answer]
        cell.end = matrix.said(parts, cell.way)
    except openai.APIStatusError as error:
        body = error.body if isinstance(error.body, dict) else {}
        cell.end = f"{error.status_code} {body.get('code') or body.get('type')}"
        check_error(cell, str(error), is_typed=bool(body.get("message")) and error.status_code >= 400)
    except openai.APIError as error:
        cell.end = f"interrupted: {error}"
        check_error(cell, str(error), is_typed=True, interrupted=True)
    except httpx2.HTTPError as error:  # the SDK raises them from a body of bytes
        cell.end = f"interrupted: {error!r}"
        check_error(cell, str(error), is_typed=True, interrupted=True)
    else:
        judge(cell, cell.end)


async def ask_raw(cell: Cell, http: httpx2.AsyncClient, url: str) -> None:
    body: dict[str, Any] = {"model": cell.pool, "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    if cell.way.startswith("tools"):
        body["tools"] = matrix.TOOLS
    async with http.stream("POST", f"{url}/chat/completions", json=body, timeout=120) as reply:
        text = (await reply.aread()).decode()
    if reply.status_code != 200:
        error = json.loads(text)["error"]
        cell.end = f"{reply.status_code} {error.get('code') or error['type']}"
        check_error(cell, text, is_typed=bool(error["message"]))
        return
    events = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    chunks = [json.loads(event) for event in events if event != "[DONE]"]
    errors = [chunk["error"] for chunk in chunks if "error" in chunk]
    if errors:
        cell.end = f"interrupted: {errors}"
        if len(errors) > 1 or "[DONE]" in events or "error" not in chunks[-1]:
            cell.violations.append("end")
        got = "".join(piece for chunk in chunks for piece in contents(chunk))
        if cell.way == "chat stream" and got != "HELLO ":
            cell.violations.append("silent")
        check_error(cell, text, is_typed=bool(errors[0]["message"]), interrupted=True)
        return
    if events[-1:] != ["[DONE]"] or events.count("[DONE]") != 1:
        cell.violations.append("end")
    chosen = [chunk["choices"][0] for chunk in chunks if chunk.get("choices")]
    finished = any(choice.get("finish_reason") for choice in chosen)
    if cell.way.startswith("tools"):
        text = "".join(call["function"]["arguments"] for one in chosen for call in one["delta"].get("tool_calls") or ())
        text = json.loads(text)["word"] if finished else text
    else:
        text = "".join(piece for chunk in chunks for piece in contents(chunk))
    judge(cell, text if finished else f"{text} (no finish)")


def contents(chunk: dict[str, Any]) -> list[str]:
    return [choice["delta"].get("content") or "" for choice in chunk.get("choices") or ()]


def check_error(cell: Cell, shown: str, *, is_typed: bool, interrupted: bool = False) -> None:
    if not is_typed:
        cell.violations.append("untyped")
    if matrix.KEY in shown:
        cell.violations.append("key shown")
    if re.search(r"Traceback|site-packages|\.py\b", shown):
        cell.violations.append("internals shown")
    if cell.expect in ("fallback", "answer", "either") or (cell.expect == "interrupted" and not interrupted):
        cell.violations.append("unrecovered")


def judge(cell: Cell, text: str) -> None:
    cell.end = text
    right = {"fallback": ("FALLBACK",), "answer": ("HELLO WORLD",), "either": ("FALLBACK", "HELLO WORLD")}.get(cell.expect, ())
    if text not in right:
        cell.violations.append("silent")


def test_no_cell_is_silent_hung_untyped_or_unrecovered(outcome: Outcome) -> None:
    cells, *_ = outcome
    assert len(cells) > 300
    assert [f"{cell.fault} / {cell.way}: {cell.end}: {cell.violations}" for cell in cells if cell.violations] == []


def test_nothing_is_left_after_the_requests(outcome: Outcome) -> None:
    _, server, mesh = outcome
    wait_for(lambda: not server.get_status().active_connections and not busy(mesh))


def busy(mesh: Any) -> list[str]:
    return [entry.key for entry in mesh._running.providers if entry.account.in_flight]

"""The fault matrix: the result for the caller for every fault and operation, sync and async.

``python tests/faults/matrix.py [--transport NAME] [--slack SECONDS] [FAULT …]`` prints a row for each fault and the counts
that must be zero. The transport is ``fast`` or ``httpx2``, by default that of the environment.
A cell passes if the caller got the right answer, or a typed error if no right answer was possible, within its deadline plus
the slack (0.25 s by default), without a leaked resource or key.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define, field

sys.path.insert(0, str(Path(__file__).resolve().parent))
import operation_ways

import modelmesh
from modelmesh.errors import ModelMeshError, StreamInterruptedError

HERE = Path(__file__).resolve().parent
LIMIT_S, SLACK_S = 0.5, 0.25
UNHURRIED = {"timeout": 10, "timeouts": {}}
"""Limits of the healthy provider, which are not tested: a busy machine is slow."""

WAYS = ("chat", "chat stream", "tools stream")
KEY = "sk-test-CANARY"
VARIABLE = "MODELMESH_TRANSPORT"
TOOLS = [{"type": "function", "function": {"name": "say", "parameters": {"type": "object"}}}]
SPECIAL = {"refused": "fallback", "dns-fail": "fallback", "tls-untrusted": "fallback", "tls-silent": "fallback"}
"""Faults of the address rather than of the server."""

TWICE = ("keep-alive-stale", "two-answers")
"""Faults that appear at the second request."""


def _catalogue() -> dict[str, tuple[Any, str, str]]:
    spec = importlib.util.spec_from_file_location("modelmesh_fault_server", HERE / "server.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.FAULTS  # type: ignore[no-any-return]


def cells(only: list[str] | None = None) -> Iterator[tuple[str, str, bool, str]]:
    """Yield fault, way, asynchronous, expected result."""
    faults = {name: (where, expect) for name, (_, where, expect) in _catalogue().items() if name != "good"}
    faults |= {name: ("both", expect) for name, expect in SPECIAL.items()}
    yield from _cells_of_operations(faults, only)
    for name, (where, expect) in faults.items():
        if only and name not in only:
            continue
        for way in WAYS:
            if _applies(where, way):
                for is_async in (False, True):
                    yield name, way, is_async, expect


def _cells_of_operations(faults: dict[str, tuple[str, str]], only: list[str] | None) -> Iterator[tuple[str, str, bool, str]]:
    for title, way in operation_ways.WAYS.items():
        for number, name in enumerate(operation_ways.faults_of(way)):
            if not only or name in only:
                expect = operation_ways.expected(name, way, faults[name][1])
                for is_async in (False, True) if way.has_own_path else (bool(number % 2),):
                    yield name, title, is_async, expect


def _applies(where: str, way: str) -> bool:
    if where == "uploads":
        return False
    if where == "tools":
        return way == "tools stream"
    return where == "both" or (where == "plain") == (way == "chat")


@define
class Result:
    """The result of one cell."""

    fault: str
    way: str
    is_async: bool
    expect: str
    end: str = ""
    violations: list[str] = field(factory=list)
    seconds: float = 0.0
    calls: int = 0


# -- the world of a cell --------------------------------------------------------------------------------------------


@contextmanager
def server() -> Iterator[dict[str, int]]:
    """The misbehaving vendor in a separate process, so that its sockets do not count as leaks."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "server.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


@contextmanager
def no_such_host() -> Iterator[None]:
    """Make one host name fail to resolve without a query."""
    look_up = socket.getaddrinfo

    def failing(host: Any, *rest: Any, **more: Any) -> Any:
        if host in ("no-such-host.test", b"no-such-host.test"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(host, *rest, **more)

    socket.getaddrinfo = failing
    try:
        yield
    finally:
        socket.getaddrinfo = look_up


def address(fault: str, ports: dict[str, int]) -> str:
    """The address of a fault."""
    return {
        "refused": "http://127.0.0.1:9",
        "dns-fail": "http://no-such-host.test",
        "tls-untrusted": f"https://127.0.0.1:{ports['untrusted']}/good",
        "tls-silent": f"https://127.0.0.1:{ports['silent']}/good",
    }.get(fault, f"http://127.0.0.1:{ports['plain']}/{fault}")


def config(fault: str, ports: dict[str, int], way: str = "chat") -> dict[str, Any]:
    """A failing provider and a healthy one. An operation of an account has the failing one only."""
    limits = {"connect": LIMIT_S, "first_content": LIMIT_S, "gap": LIMIT_S, "total": 2 * LIMIT_S}
    entry = {"connector": "openai.llm.v1", "api_key": KEY, "timeout": LIMIT_S, "timeouts": limits}
    other = operation_ways.WAYS.get(way)
    providers = {
        "faulty": {**entry, "base_url": address(fault, ports)},
        "healthy": {**entry, "base_url": f"http://127.0.0.1:{ports['plain']}/good", **UNHURRIED},
    }
    if other is None:
        for provider in providers.values():
            provider["models"] = ["m"]
        return {"providers": providers, "pools": {"chat-completion": {"timeouts": {"total": 20}}}}
    if not other.capability:
        return {"providers": {"faulty": providers["faulty"]}}
    models = {key: {"provider": key, "model": "m", "capabilities": [other.capability]} for key in providers}
    return {"providers": providers, "models": models, "pools": {other.capability: {"timeouts": {"total": 20}}}}


# -- one cell -------------------------------------------------------------------------------------------------------


def ask(client: Any, way: str, fault: str = "") -> Any:
    """Begin the request of a cell."""
    other = operation_ways.WAYS.get(way)
    if other is not None:
        return other.ask(client, fault.startswith("upload"))
    more: dict[str, Any] = {"tools": TOOLS} if way.startswith("tools") else {}
    if "stream" in way:
        more["stream"] = True
    return client.chat.completions.create(model="chat-completion", messages=[{"role": "user", "content": "Hi"}], **more)


def is_stream(way: str) -> bool:
    """Return whether the reply of a way is a stream."""
    other = operation_ways.WAYS.get(way)
    return other.streams if other else way != "chat"


def said(parts: list[Any], way: str) -> str:
    """Text of an answer, or its tool call's arguments when they are whole."""
    if way in operation_ways.WAYS:
        return operation_ways.WAYS[way].said(parts)
    if way == "chat":
        return str(parts[0].choices[0].message.content)
    finish = parts[-1].choices[0].finish_reason if parts and parts[-1].choices else None
    if way.startswith("tools"):
        pieces = [call.function.arguments for p in parts if p.choices for call in p.choices[0].delta.tool_calls or []]
        text = json.loads("".join(pieces))["word"] if pieces and finish == "tool_calls" else "".join(pieces)
    else:
        text = "".join(p.choices[0].delta.content or "" for p in parts if p.choices)
    return text if finish else f"{text} (no finish)"


def sync_cell(result: Result, settings: dict[str, Any]) -> None:
    """Send the request in this thread."""
    with modelmesh.create(config=settings) as client:
        for number in range(2 if result.fault in TWICE else 1):
            time.sleep(0.05 * number)  # time for the end of the connection to arrive
            parts: list[Any] = []
            try:
                answer = ask(client, result.way, result.fault)
                if not is_stream(result.way):
                    parts.append(answer)
                else:
                    with answer as stream:
                        answer = stream
                        parts.extend(stream.iter_bytes() if result.way == "speech stream" else stream)
                result.end = said(parts, result.way)
                result.calls = len(getattr(answer, "attempts", ()))
                blamed(result, getattr(answer, "attempts", ()))
            except Exception as error:
                failed(result, error, parts)
        at_rest(result, client)


async def async_cell(result: Result, settings: dict[str, Any]) -> None:
    """Send the request in this task."""
    async with modelmesh.create_async(config=settings) as client:
        for number in range(2 if result.fault in TWICE else 1):
            await asyncio.sleep(0.05 * number)
            parts: list[Any] = []
            try:
                answer = ask(client, result.way, result.fault)
                if result.way != "speech stream":
                    answer = await answer
                if not is_stream(result.way):
                    parts.append(answer)
                else:
                    async with answer as stream:
                        answer = stream
                        async for part in stream.iter_bytes() if result.way == "speech stream" else stream:
                            parts.append(part)
                result.end = said(parts, result.way)
                result.calls = len(getattr(answer, "attempts", ()))
                blamed(result, getattr(answer, "attempts", ()))
            except Exception as error:
                failed(result, error, parts)
        at_rest(result, client)
    for _ in range(3):
        await asyncio.sleep(0)  # connections that are being closed are not leaks
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    if others:
        result.violations.append("leaked")


def blamed(result: Result, attempts: Any) -> None:
    """Check the failure classes of the attempts: the server failed, never the connector."""
    if any("Broken" in (attempt.error or "") for attempt in attempts):
        result.violations.append("wrong party")


def at_rest(result: Result, client: Any) -> None:
    """Check the state after the requests: no place in flight, and no connector bug for a fault of the server."""
    if any(entry.account.in_flight for entry in client.mesh._running.providers):
        result.violations.append("lost slot")


def failed(result: Result, error: Exception, parts: list[Any]) -> None:
    """Check an error."""
    result.end = type(error).__name__
    result.calls = len(getattr(error, "attempts", ()) or ())
    shown = repr(error) + repr(vars(error))
    if KEY in shown:
        result.violations.append("key shown")
    blamed(result, getattr(error, "attempts", None) or ())
    if not isinstance(error, ModelMeshError):
        result.violations.append("untyped")
    elif isinstance(error, StreamInterruptedError) and result.way in WAYS:
        got = "".join(p.choices[0].delta.content or "" for p in parts if p.choices)
        if error.partial_text != got or (result.way == "chat stream" and got != "HELLO "):
            result.violations.append("silent")
        if result.way.startswith("tools") and not error.partial_tool_calls:
            result.violations.append("silent")
    if result.expect in ("fallback", "answer", "either") or (
        result.expect == "interrupted" and not isinstance(error, StreamInterruptedError)
    ):
        result.violations.append("unrecovered")


def judge(result: Result, slack: float) -> None:
    """Check an answer and its duration."""
    right = {"fallback": ("FALLBACK",), "answer": ("HELLO WORLD",), "either": ("FALLBACK", "HELLO WORLD")}.get(result.expect, ())
    if not result.end.endswith("Error") and result.end not in right:
        result.violations.append("silent")
    if result.calls > 4:
        result.violations.append("too many calls")
    phases = 2 if result.expect == "interrupted" else 1  # the gap, or the total, comes after the first content
    if result.seconds > phases * 2 * LIMIT_S + slack:
        result.violations.append("hung")


def run(result: Result, ports: dict[str, int], slack: float = SLACK_S) -> Result:
    """Run one cell."""
    settings, began = config(result.fault, ports, result.way), time.monotonic()
    files, threads = open_files(), threading.active_count()
    if result.is_async:
        asyncio.run(async_cell(result, settings))
    else:
        sync_cell(result, settings)
    result.seconds = time.monotonic() - began
    gc.collect()
    if open_files() > files or threading.active_count() > threads:
        result.violations.append("leaked")
    judge(result, slack)
    return result


def open_files() -> int:
    """Count this process's file descriptors."""
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0  # noqa: PTH112, PTH208


def matrix(only: list[str] | None = None, *, slack: float = SLACK_S, progress: bool = False) -> list[Result]:
    """Run every cell."""
    results = []
    warnings.simplefilter("error", ResourceWarning)
    with server() as ports, no_such_host():
        run(Result("good", "chat", is_async=False, expect="answer"), ports)  # the first call of a process does lazy imports
        run(Result("good", "chat", is_async=True, expect="answer"), ports)
        wanted = [Result(*cell) for cell in cells(only)]
        for number, result in enumerate(wanted, 1):
            results.append(run(result, ports, slack))
            if progress and sys.stderr.isatty():
                print(f"\r{number}/{len(wanted)} {result.fault:<40}", end="", file=sys.stderr, flush=True)
    if progress and sys.stderr.isatty():
        print("\r" + " " * 60 + "\r", end="", file=sys.stderr)
    return results


COUNTS = ("silent", "hung", "untyped", "leaked", "lost slot", "wrong party", "unrecovered", "key shown", "too many calls")


def table(results: list[Result]) -> str:
    """One row for each fault, one column for each way."""
    rows: dict[str, dict[tuple[str, bool], Result]] = {}
    for result in results:
        rows.setdefault(result.fault, {})[result.way, result.is_async] = result
    columns = [(way, is_async) for way in [*WAYS, *operation_ways.WAYS] for is_async in (False, True)]
    width = max(len(name) for name in rows) + 2
    heads = [f"{way}{' async' if is_async else ''}" for way, is_async in columns]
    lines = [" " * width + "  ".join(f"{text:<20}" for text in heads)]
    for name, found in rows.items():
        row = [_cell(found.get(column)) for column in columns]
        lines.append(f"{name:<{width}}" + "  ".join(f"{text:<20}" for text in row))
    counts = Counter(violation for result in results for violation in result.violations)
    lines.append("")
    lines.append(f"{len(results)} cells, {len(rows)} faults: " + ", ".join(f"{name} {counts[name]}" for name in COUNTS))
    return "\n".join(lines)


def _cell(result: Result | None) -> str:
    if result is None:
        return "does not apply"
    end = result.end.replace("StreamInterruptedError", "interrupted")
    return f"!! {','.join(result.violations)}" if result.violations else f"{end} {result.seconds * 1000:.0f}ms"


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--slack", type=float, default=SLACK_S, metavar="SECONDS")
    arguments.add_argument("--transport", choices=("fast", "httpx2"))
    arguments.add_argument("faults", nargs="*", metavar="FAULT")
    given = arguments.parse_args()
    if given.transport:
        os.environ[VARIABLE] = given.transport
    outcome = matrix(given.faults or None, slack=given.slack, progress=True)
    print(table(outcome))
    for bad in outcome:
        if bad.violations:
            print(
                f"{bad.fault} / {bad.way}{' async' if bad.is_async else ''}: {bad.end} in {bad.seconds:.2f} s: {', '.join(bad.violations)}"
            )
    raise SystemExit(any(result.violations for result in outcome))

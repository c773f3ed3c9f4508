"""One cell of the table of operations: requests to two vendors, of which the first fails in one way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from attrs import define, field, frozen
from cells import SHORT
from fakevendors import WAYS, Account, Street
from operation_asks import ASKS, Ask

import modelmesh

FAILURES = ("error", "overloaded", "throttled", "key", "hang", "html", "cut", "empty", "refused")
MODES = ("sync", "stream", "async", "async stream")
FACES = ("client", "sdk")
REQUESTS = 2


@frozen
class OperationCell:
    """The position of a cell in the table.

    Attributes:
        operation: The operation.
        first: The vendor that fails.
        second: The healthy vendor.
        way: How the first fails.
        mode: One of :data:`MODES`.
        face: ``client``, or ``sdk`` for the official SDK over the mesh.
    """

    operation: str
    first: str
    second: str
    way: str
    mode: str
    face: str

    @property
    def ask(self) -> Ask:
        """The request."""
        return ASKS[self.operation]

    def __str__(self) -> str:
        return f"{self.operation}: {self.first} fails ({self.way}), {self.second} healthy, {self.mode}, {self.face}"


@define
class OperationFound:
    """The results of a cell: why requests failed, and how often the vendors were called for the first answer."""

    why: list[str] = field(factory=list)
    calls: int = 0
    billable: int = 0
    refused: list[tuple[int, str]] = field(factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing failed, and the first answer cost at most two billable calls."""
        return not self.why and not self.refused and self.billable <= 2


def pairs(operation: str, mode: str) -> list[tuple[str, str]]:
    """Return the ordered pairs of vendors that serve an operation in a mode."""
    ask = ASKS[operation]
    found = ask.vendors
    if "stream" in mode:
        found = ask.streaming() if ask.streams else []
    return [(first, second) for first in found for second in found if first != second]


def all_operation_cells() -> Iterator[OperationCell]:
    """Yield the whole table."""
    for operation, ask in ASKS.items():
        for mode in MODES:
            for first, second in pairs(operation, mode):
                for way in FAILURES:
                    for face in FACES if ask.in_sdk else FACES[:1]:
                        yield OperationCell(operation, first, second, way, mode, face)


def covering_operation_cells() -> Iterator[OperationCell]:
    """Yield a part: each operation with every way, mode and face, and with every vendor as the first and as the second."""
    for place, (operation, ask) in enumerate(ASKS.items()):
        faces = FACES if ask.in_sdk else FACES[:1]
        groups = [modes for modes in (("sync", "async"), ("stream", "async stream")) if pairs(operation, modes[0])]
        count = 0
        for modes in groups:
            some = ask.streaming() if "stream" in modes else ask.vendors
            for number in range(max(len(some), -(-len(FAILURES) // len(groups)))):
                step = 1 + (place + number // len(some)) % (len(some) - 1)
                first, second = some[number % len(some)], some[(number + step) % len(some)]
                way, face = FAILURES[(count + place) % len(FAILURES)], faces[number // 2 % len(faces)]
                yield OperationCell(operation, first, second, way, modes[number % 2], face)
                count += 1


def opening(ask: Ask, *accounts: Account, **more: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the arguments of ``create()`` as users write them: a capability, keys and addresses."""
    strategy = {"strategy": more.pop("strategy")} if "strategy" in more else {}
    return (ask.capability,), {"providers": {one.vendor.name: {**one.settings, **more} for one in accounts}, **strategy}


def run_operation(cell: OperationCell, street: Street, requests: int = REQUESTS) -> OperationFound:
    """Run a cell."""
    bad, good = street.account(cell.first, cell.way), street.account(cell.second)
    names, keywords = opening(cell.ask, bad, good, **(SHORT if cell.way == "hang" else {}))
    found = OperationFound(refused=good.refused)
    if cell.mode.startswith("async"):
        asyncio.run(_aio(cell, names, keywords, found, bad, good, requests))
        return found
    with modelmesh.create(*names, **keywords) as client:
        face = client.as_openai(max_retries=0) if cell.face == "sdk" else client
        for number in range(requests):
            try:
                _check(cell, found, cell.ask.read(ask_once(face, cell.ask, stream="stream" in cell.mode)))
            except Exception as error:
                found.why.append(f"{type(error).__name__}: {error}")
            if number == 0:
                _count(cell, found, bad, good)
    return found


async def _aio(cell: OperationCell, names: Any, keywords: Any, found: OperationFound, bad: Any, good: Any, requests: int) -> None:
    async with modelmesh.create_async(*names, **keywords) as client:
        face = client.as_async_openai(max_retries=0) if cell.face == "sdk" else client
        for number in range(requests):
            try:
                _check(cell, found, cell.ask.read(await aask_once(face, cell.ask, stream="stream" in cell.mode)))
            except Exception as error:
                found.why.append(f"{type(error).__name__}: {error}")
            if number == 0:
                _count(cell, found, bad, good)


def _arguments(ask: Ask) -> dict[str, Any]:
    return ask.given if ask.owners or not ask.method else {"model": ask.capability, **ask.given}


def _method(client: Any, ask: Ask) -> Any:
    if not ask.method:
        return client.capability(ask.capability).call
    return attrgetter(ask.method if ask.method.startswith("images.") else f"{ask.method}.create")(client)


def ask_once(client: Any, ask: Ask, *, stream: bool = False) -> Any:
    """Send the request. The reply of a stream is the list of its items."""
    if stream and ask.streams == "bytes":
        with client.audio.speech.with_streaming_response.create(**_arguments(ask)) as reply:
            return list(reply.iter_bytes())
    if stream:
        return list(_method(client, ask)(**_arguments(ask), stream=True))
    return _method(client, ask)(**_arguments(ask))


async def aask_once(client: Any, ask: Ask, *, stream: bool = False) -> Any:
    """Send the request from a coroutine."""
    if stream and ask.streams == "bytes":
        async with client.audio.speech.with_streaming_response.create(**_arguments(ask)) as reply:
            return [piece async for piece in reply.iter_bytes()]
    if stream:
        return [item async for item in await _method(client, ask)(**_arguments(ask), stream=True)]
    return await _method(client, ask)(**_arguments(ask))


def _check(cell: OperationCell, found: OperationFound, text: str) -> None:
    if not cell.ask.is_from(cell.second, text):
        found.why.append(f"answered {text!r}")


def _count(cell: OperationCell, found: OperationFound, bad: Account, good: Account) -> None:
    found.calls = len(bad.calls) + len(good.calls)
    found.billable = (len(bad.calls) if WAYS[cell.way].billable else 0) + len(good.calls)


def as_json(cell: OperationCell, found: OperationFound) -> str:
    """Return the cell as plain data."""
    place = {name: getattr(cell, name) for name in ("operation", "first", "second", "way", "mode", "face")}
    return json.dumps({**place, "calls": found.calls, "billable": found.billable, "why": found.why, "refused": found.refused})

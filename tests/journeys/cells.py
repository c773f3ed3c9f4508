"""One cell of the table: ten requests in one mode to two vendors, of which the first fails in one way."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from attrs import define, field, frozen
from fakevendors import VENDORS, WAYS, Account, Street
from opening import Opening, aask, ask

from modelmesh.errors import ModelMeshError

MODES = ("sync", "stream", "async", "async stream")
REQUESTS = 10
MOST_BILLABLE = 2
SHORT = {"timeout": 0.3, "timeouts": {"connect": 0.3, "first_content": 0.3, "gap": 0.3}}
"""Short time limits for the hanging vendor, because the shipped ones are minutes."""


@frozen
class Cell:
    """The position of a cell in the table."""

    first: str
    second: str
    way: str
    mode: str

    def __str__(self) -> str:
        return f"{self.first} fails ({self.way}), {self.second} healthy, {self.mode}"


@define
class Found:
    """The results of a cell.

    Attributes:
        failed: Requests that raised, of ten.
        calls: Requests that reached the two vendors before the first answer.
        billable: The calls among them that may have been billed.
        why: The first error.
        refused: Requests that the healthy vendor refused.
    """

    failed: int = 0
    calls: int = 0
    billable: int = 0
    why: str = ""
    refused: list[tuple[int, str]] = field(factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing failed, and the first answer cost at most two billable calls."""
        return not self.failed and self.billable <= MOST_BILLABLE and not self.refused


def all_cells() -> Iterator[Cell]:
    """Yield the whole table: every ordered pair, way and mode."""
    for first in VENDORS:
        for second in VENDORS:
            if first != second:
                yield from (Cell(first, second, way, mode) for way in WAYS for mode in MODES)


def covering() -> Iterator[Cell]:
    """Yield a part of the table with every ordered pair, and every failing vendor with every way and mode."""
    names = list(VENDORS)
    for place, first in enumerate(names):
        others = names[place + 1 :] + names[:place]
        for turn, way in enumerate(WAYS):
            for step, mode in enumerate(MODES):
                yield Cell(first, others[(turn * len(MODES) + step) % len(others)], way, mode)


@contextmanager
def names_without_address() -> Iterator[None]:
    """Resolve host names in ``.invalid`` to an immediate failure, independent of the machine's resolver."""
    look_up = socket.getaddrinfo

    def local(host: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if name.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(host, *rest, **more)

    socket.getaddrinfo = local
    try:
        yield
    finally:
        socket.getaddrinfo = look_up


def run(cell: Cell, street: Street, requests: int = REQUESTS) -> Found:
    """Run a cell."""
    bad, good = street.account(cell.first, cell.way), street.account(cell.second)
    opening = Opening.of(bad, good)
    if cell.way == "hang":
        opening = Opening.of(bad, good, **SHORT)
    found = Found(refused=good.refused)
    if cell.mode.startswith("async"):
        asyncio.run(_aio(cell, opening, found, bad, good, requests))
        return found
    with opening.sync() as client:
        for number in range(requests):
            try:
                _heard(found, cell, ask(client, opening.pool, stream="stream" in cell.mode))
            except ModelMeshError as error:
                _failed(found, error)
            if number == 0:
                _count(found, cell, bad, good)
    return found


async def _aio(cell: Cell, opening: Opening, found: Found, bad: Account, good: Account, requests: int) -> None:
    async with opening.aio() as client:
        for number in range(requests):
            try:
                _heard(found, cell, await aask(client, opening.pool, stream="stream" in cell.mode))
            except ModelMeshError as error:
                _failed(found, error)
            if number == 0:
                _count(found, cell, bad, good)


def _heard(found: Found, cell: Cell, text: str | None) -> None:
    if not (text or "").startswith(f"{cell.second} answers."):
        found.failed += 1
        found.why = found.why or f"answered {text!r}"


def _failed(found: Found, error: ModelMeshError) -> None:
    found.failed += 1
    found.why = found.why or f"{type(error).__name__}: {error}"


def _count(found: Found, cell: Cell, bad: Account, good: Account) -> None:
    found.calls = len(bad.calls) + len(good.calls)
    found.billable = (len(bad.calls) if WAYS[cell.way].billable else 0) + len(good.calls)


def as_json(cell: Cell, found: Found) -> str:
    """Return the cell as plain data."""
    row = {"first": cell.first, "second": cell.second, "way": cell.way, "mode": cell.mode}
    counts = {"failed": found.failed, "calls": found.calls, "billable": found.billable}
    return json.dumps({**row, **counts, "why": found.why, "refused": found.refused})

"""``create("chat-completion")`` with two keys: while one vendor is healthy, no request fails."""

from __future__ import annotations

from collections import defaultdict

import pytest
from cells import Cell, all_cells, covering, run
from fakevendors import VENDORS, WAYS, Street

CELLS: dict[tuple[str, str], list[Cell]] = defaultdict(list)
for one in covering():
    CELLS[one.first, one.way].append(one)


@pytest.mark.parametrize(("first", "way"), CELLS, ids=["-".join(key) for key in CELLS])
def test_pool_of_two_with_one_failing_answers_every_request(first: str, way: str, street: Street) -> None:
    found = {cell: run(cell, street) for cell in CELLS[first, way]}
    bad = [
        f"{cell}: {one.failed} failed, {one.billable} billable, {one.why} {one.refused}"
        for cell, one in found.items()
        if not one.is_good
    ]
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize("first", VENDORS)
def test_pool_over_httpx2_answers_every_request(first: str, street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELMESH_TRANSPORT", "httpx2")
    some = [cell for cell in covering() if cell.first == first][:: len(VENDORS) // 2]
    found = {cell: run(cell, street) for cell in some}
    assert len({cell.mode for cell in some}) > 1
    assert not [f"{cell}: {one.failed} failed, {one.why} {one.refused}" for cell, one in found.items() if not one.is_good]


def test_covering_has_every_pair_failure_and_mode() -> None:
    cells = list(covering())
    assert {(cell.first, cell.second) for cell in cells} == {(cell.first, cell.second) for cell in all_cells()}
    assert {(cell.first, cell.way, cell.mode) for cell in cells} == {(cell.first, cell.way, cell.mode) for cell in all_cells()}
    assert {cell.second for cell in cells} == set(VENDORS)
    assert len(WAYS) >= 14

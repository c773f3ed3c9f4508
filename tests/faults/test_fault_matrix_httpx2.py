"""The fault matrix over httpx2. A file of its own, so that both matrices run at the same time."""

from __future__ import annotations

from collections.abc import Callable


def test_fault_cells_over_httpx2_end_typed_in_time_and_recover(check_matrix: Callable[[str], None]) -> None:
    check_matrix("httpx2")

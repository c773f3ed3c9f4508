"""Safe output to a terminal.

``rich.control.strip_control_codes`` does not serve here: it removes five codes, and ESC is not among them (rich 15.0.0, read
2026-11-30).
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_UNFOLDED = 10_000
"""Width outside of a terminal, so that each row is one line."""


def clean(text: str) -> str:
    """Return a text without control characters other than tab and line feed.

    The text of a vendor or a model must not move the cursor, set the clipboard or rename the window.
    """
    return _CONTROLS.sub("", text)


def console(*, stderr: bool = False) -> Console:
    """Return the console for tables, on stdout or stderr."""
    from rich.console import Console  # noqa: PLC0415 - not for commands that print no table

    result = Console(file=sys.stderr if stderr else sys.stdout, highlight=False, markup=False, emoji=False)
    if not result.is_terminal and not os.environ.get("COLUMNS"):
        result.width = _UNFOLDED
    return result

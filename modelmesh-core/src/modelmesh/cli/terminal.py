"""What may be written to a terminal, and how wide it is."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_UNFOLDED = 10_000
"""Columns of something that is no terminal: a row is a line there, for grep."""


def clean(text: str) -> str:
    """Return a text without control characters other than tab and line feed.

    What a vendor or a model wrote must not move the cursor, set the clipboard or rename the window.
    """
    return _CONTROLS.sub("", text)


def carries(text: str) -> bool:
    """Whether standard output can show a text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def console(*, stderr: bool = False) -> Console:
    """Return where tables go: stdout, or stderr for what is said beside the answer."""
    from rich.console import Console  # noqa: PLC0415 - not for commands that print no table

    made = Console(file=sys.stderr if stderr else sys.stdout, highlight=False, markup=False, emoji=False)
    if not made.is_terminal and not os.environ.get("COLUMNS"):
        made.width = _UNFOLDED
    return made

"""All rows with their goals, in groups. The subjects of a group are measured in the same rounds."""

from __future__ import annotations

from rows.calls import CALLS
from rows.dialects import DIALECTS
from rows.group import Group
from rows.own_work import OWN_WORK
from rows.selection import SELECTION
from rows.start import START
from rows.streams import STREAMS

GROUPS: tuple[Group, ...] = (*CALLS, *STREAMS, *DIALECTS, *OWN_WORK, *START, *SELECTION)

__all__ = ["GROUPS", "Group"]

"""Rows of vendors with a dialect of their own, next to their SDKs."""

from __future__ import annotations

from comparisons import ratio
from row import Row

from rows.group import Group

SDKS = {"anthropic": "anthropic_sdk", "google": "google_sdk"}


def _dialect(vendor: str, sdk: str) -> tuple[Row, ...]:
    kinds = {
        "call": ("sync call", 0.4),
        "acall": ("async call", 0.4),
        "stream": ("chunk of a sync stream", 0.3),
        "astream": ("chunk of an async stream", 0.3),
    }
    return tuple(
        Row(f"{vendor}_{kind}", f"{vendor}, {text}: mesh / SDK", ratio(f"mesh.{kind}.{vendor}", f"{sdk}.{kind}"), goal=goal)
        for kind, (text, goal) in kinds.items()
    )


DIALECTS = (Group("dialects", tuple(row for vendor, sdk in SDKS.items() for row in _dialect(vendor, sdk))),)

"""Warnings that name the caller's line."""

from __future__ import annotations

import sys
import warnings

_OURS = ("modelmesh", "modelmesh_cdk", "modelmesh_proxy")


class NotEnforcedWarning(UserWarning):
    """A setting of the configuration that this version reads and ignores."""


def warn(message: str, category: type[Warning], source: object | None = None) -> None:
    """Issue a warning for the first frame outside ModelMesh, or for the outermost frame if there is none.

    Args:
        message: The text.
        category: The kind of warning.
        source: The object of a ``ResourceWarning``, of which ``tracemalloc`` shows the origin.
    """
    depth, frame = 2, sys._getframe(1)  # noqa: SLF001 - the standard library has no other way before Python 3.12
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _OURS:
        frame, depth = frame.f_back, depth + 1
    warnings.warn(message, category, stacklevel=depth, source=source)

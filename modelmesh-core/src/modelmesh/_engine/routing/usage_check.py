"""Validation of the token usage that a vendor reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts.usage import MAX_TOKENS_PER_REQUEST, reported_tokens

_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens")
_DETAILS = ("prompt_tokens_details", "completion_tokens_details")


def valid_usage(reported: Any) -> dict[str, Any] | None:
    """Return a usage report with non-negative integer counts, ``None`` for anything else.

    A report with an invalid count is rejected as a whole, and the mesh estimates the usage where it needs one. Only invalid
    details are dropped on their own.

    Args:
        reported: ``usage`` of an answer or of a chunk.
    """
    if not (reported.__class__ is dict or isinstance(reported, Mapping)) or not reported:
        return None
    for count in map(reported.get, _COUNTS):
        if count is None or (count.__class__ is int and 0 <= count <= MAX_TOKENS_PER_REQUEST):
            continue  # the usual count needs no call
        if reported_tokens(count) is None:
            return None
    usage: dict[str, Any] = reported if reported.__class__ is dict else dict(reported)
    for name in _DETAILS:
        details = reported.get(name)
        if details is not None and not _are_counts(details):
            usage = {**usage, name: None}
    return usage


def _are_counts(details: Any) -> bool:
    if not (details.__class__ is dict or isinstance(details, Mapping)):
        return False
    for name, count in details.items():
        if count.__class__ is int and 0 <= count <= MAX_TOKENS_PER_REQUEST:
            continue
        if count is not None and reported_tokens(count) is None and str(name).endswith("_tokens"):
            return False
    return True

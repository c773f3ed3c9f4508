"""Payloads of log entries, reduced to what a sink's detail level allows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import evolve

from modelmesh.contracts.observability import RequestLogEntry


class DetailLevel(StrEnum):
    """How much of a request a sink receives."""

    METADATA = "metadata"
    SUMMARY = "summary"
    FULL = "full"


def reduce_payloads(entry: RequestLogEntry, level: DetailLevel, max_size: int) -> RequestLogEntry:
    """Return a log entry with the payloads that a level allows.

    Args:
        entry: The entry with whole payloads.
        level: The sink's level.
        max_size: Characters of a payload at level ``summary``.
    """
    if level == DetailLevel.FULL:
        return entry
    if level == DetailLevel.METADATA:
        return without_payloads(entry)
    request, response = truncate(entry.request_payload, max_size), truncate(entry.response_payload, max_size)
    return evolve(entry, request_payload=request, response_payload=response)


def without_payloads(entry: RequestLogEntry) -> RequestLogEntry:
    """Return a log entry without payloads."""
    if entry.request_payload is None and entry.response_payload is None:
        return entry
    return evolve(entry, request_payload=None, response_payload=None)


def truncate(payload: Any, max_size: int) -> Any:
    """Return a payload of at most ``max_size`` characters of JSON.

    The texts in the payload are shortened as little as possible. If that is not enough, the JSON text is cut.
    """
    if payload is None:
        return None
    if isinstance(payload, str):
        return payload if len(payload) <= max_size else payload[:max_size] + "…"
    text = _json(payload)
    if len(text) <= max_size:
        return payload
    fits, too_long = -1, max_size
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if len(_json(_truncate_texts(payload, middle))) <= max_size:
            fits = middle
        else:
            too_long = middle
    return text[:max_size] + "…" if fits < 0 else _truncate_texts(payload, fits)


def _truncate_texts(value: Any, max_size: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= max_size else value[:max_size] + "…"
    if isinstance(value, Mapping):
        return {key: _truncate_texts(item, max_size) for key, item in value.items()}
    return [_truncate_texts(item, max_size) for item in value] if isinstance(value, list | tuple) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)

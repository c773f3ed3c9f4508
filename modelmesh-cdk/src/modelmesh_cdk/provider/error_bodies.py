"""Error bodies: code, message and parameter in every format that vendors send.

Supported formats: a string, an object, a list of objects, an object under ``error``, ``errors`` or ``detail``, a message at the
top, the list of a FastAPI validation error, JSON text inside a message or inside ``metadata.raw``, and an HTML page.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from attrs import frozen

LONGEST_TEXT = 1_200
"""Characters of all messages together. A longer text is cut before patterns are matched."""

DEEPEST = 6
_UNDER = ("error", "errors", "detail", "details", "metadata", "response", "body", "raw", "message")
_CODES = ("error_code", "error_type", "code", "reason", "type", "status")
_TEXTS = ("message", "msg", "detail", "error", "reason", "raw", "error_description", "title")
_STATUSES = ("code", "status_code", "http_status_code", "status", "http_code")
_PARAMS = ("param", "loc")
_OF_THE_ENVELOPE = ("type", "status")
_NOT_CODES = frozenset({"error", "none", "null", ""})
_PAGE = re.compile(r"\s*(?:<!--.{0,200}?-->\s*)?<(?:!doctype|\?xml|html|head|body|title|center|h1)\b", re.IGNORECASE | re.DOTALL)
_MARKUP = ("text/html", "application/xhtml+xml", "application/xml", "text/xml")


@frozen
class ErrorBody:
    """Contents of an error body.

    Attributes:
        codes: The vendor's codes, the most specific first, without numbers that repeat the status.
        text: The messages of all levels, at most :data:`LONGEST_TEXT` characters.
        param: The parameter that the vendor names.
        status: The HTTP status in the body, ``None`` without one.
    """

    codes: tuple[str, ...] = ()
    text: str = ""
    param: str | None = None
    status: int | None = None

    @property
    def message(self) -> str:
        """Return the outer message and the message that it wraps."""
        return ": ".join(self.text.split("\n")[:2])


def read_error(body: Any) -> ErrorBody:
    """Read an error body.

    Args:
        body: The decoded body, or the text of a body that is not JSON.
    """
    if body is not None and body is _shared.body:
        if _shared.error is None:
            _shared.error = _read(body)
        return _shared.error
    return _read(body)


@contextmanager
def reading_once(body: Any) -> Iterator[None]:
    """Read a body only once, however often this thread calls :func:`read_error` with it inside the context.

    The hooks of a connector receive the body, and each of them reads it for one of its contents.
    """
    outer = _shared.body, _shared.error
    _shared.body, _shared.error = body, None
    try:
        yield
    finally:
        _shared.body, _shared.error = outer


class _Shared(threading.local):
    body: Any = None
    error: ErrorBody | None = None


_shared = _Shared()


def _read(body: Any) -> ErrorBody:
    parts = list(_parts(body, DEEPEST))
    objects = [part for part in parts if not isinstance(part, str)]
    texts = dict.fromkeys(text for text in map(_text, parts) if text is not None)
    lines = (" ".join(text.split()) for text in _outermost(list(texts)))  # a message of several lines is one message
    params = (part[name] for part in objects for name in _PARAMS if name in part)
    statuses = (_status(part[name]) for part in objects for name in _STATUSES if name in part)
    return ErrorBody(
        codes=tuple(dict.fromkeys(_codes(objects))),
        text="\n".join(lines)[:LONGEST_TEXT],
        param=next(filter(None, map(_param, params)), None),
        status=next((status for status in statuses if status is not None), None),
    )


def is_page(content_type: str, raw: bytes | str) -> bool:
    """Return whether a body is a page of HTML or XML, which no vendor's API sends on purpose."""
    start = raw[:500].decode("utf-8", "replace") if isinstance(raw, bytes) else raw[:500]
    stated = content_type.partition(";")[0].strip().lower() in _MARKUP
    return bool(_PAGE.match(start)) or (stated and start.lstrip()[:1] not in ("{", "["))


def _parts(body: Any, deep: int) -> Iterator[Any]:
    """Yield the objects and texts of a body, the outermost first."""
    if isinstance(body, str):
        nested = _nested(body) if deep else None
        if nested is None:
            yield body
        else:
            yield from _parts(nested, deep - 1)
    elif isinstance(body, Mapping):
        yield body
        for name in _UNDER if deep else ():
            value = body.get(name)
            if value is None:
                continue
            if _looks_nested(value) if isinstance(value, str) else isinstance(value, Mapping | list):
                yield from _parts(value, deep - 1)
    elif isinstance(body, Sequence) and deep:
        for one in body[:20]:
            if isinstance(one, Mapping):
                yield from _parts(one, deep - 1)


def _looks_nested(text: str) -> bool:
    return "{" in text and '"' in text


def _nested(text: str) -> Any:
    """Return the JSON object inside a text, for example ``400: {"error": …}``, ``None`` without one."""
    start = text.find("{")
    end = text.rfind("}")
    if start < 0 or end <= start or end - start > LONGEST_TEXT * 14:
        return None
    try:
        found = json.loads(text[start : end + 1])
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found else None


def _codes(objects: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for name in _CODES:
        for part in objects:
            value = part.get(name)
            if not isinstance(value, str):
                continue
            if name in _OF_THE_ENVELOPE and isinstance(part.get("error"), Mapping):
                continue  # the type of the event or object that contains the error
            value = value.strip()
            if not value.isdigit() and value.lower() not in _NOT_CODES:
                yield value


def _text(part: Any) -> str | None:
    if isinstance(part, str):
        return part
    for name in _TEXTS:
        value = part.get(name)
        if isinstance(value, str) and value and not (name == "reason" and " " not in value):
            return value
    return None


def _outermost(texts: list[str]) -> list[str]:
    """Sort texts that wrap a nested message after it. The nested message is the vendor's own."""
    plain = [text for text in texts if not _looks_nested(text) or _nested(text) is None]
    return plain + [text for text in texts if text not in plain]


def _status(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:  # noqa: PLR2004 - an HTTP status
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600 else None  # noqa: PLR2004


def _param(value: Any) -> str | None:
    if isinstance(value, list):  # FastAPI: ["body", "messages", 0, "role"]
        value = ".".join(str(one) for one in value if one != "body")
    return value if isinstance(value, str) and value else None

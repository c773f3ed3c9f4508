"""Error mapping: failure classes of a vendor's error codes and messages.

A connector's table ``error_mappings`` contains the rows of its vendor, each with source and date. The rows of
:mod:`modelmesh_cdk.provider.common_errors` apply to every vendor, because most vendors copy the texts of OpenAI or of another
vendor. Codes apply before messages, and the connector's rows before the common rows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from attrs import frozen

from modelmesh.contracts import FailureClass

if TYPE_CHECKING:
    from modelmesh_cdk.provider.error_bodies import ErrorBody

_F = FailureClass

AMBIGUOUS_STATUSES = frozenset({400, 404, 405, 406, 409, 410, 411, 412, 413, 415, 418, 422, 424, 501})
"""Statuses whose meaning depends on the body."""

ANY_STATUS = frozenset(range(400, 600))

_QUOTES = str.maketrans(dict.fromkeys("\"'`‘’“”´*", None))
_SPACES = re.compile(r"\s+")
_CAMEL = re.compile(r"(?<=[a-z0-9])([A-Z])")


@frozen
class ErrorMapping:
    """One row: codes and patterns of a vendor, and their failure class.

    Attributes:
        failure: The failure class.
        codes: Codes in lower case. One is enough.
        words: Patterns for the message, which is searched without quotes, with single spaces and without case. A group named
            ``parameter`` contains the unsupported parameter. A pattern as a text is compiled for the first error.
        statuses: HTTP statuses of the row. A row without codes and patterns applies to all errors of its statuses.
        too_long: Whether only a model with a larger context window can serve the request.
        feature: The parameter of the request that the model does not support.
        source: Source and date of the codes or patterns.
        keywords: Words in lower case, of which every match of a pattern contains one. A text without any of them is not searched
            for the patterns, which saves time in rows with many patterns. Without keywords every text is searched.
    """

    failure: FailureClass
    codes: frozenset[str] = frozenset()
    words: tuple[str | re.Pattern[str], ...] = ()
    statuses: Collection[int] = AMBIGUOUS_STATUSES
    too_long: bool = False
    feature: str | None = None
    source: str = ""
    keywords: tuple[str, ...] = ()


def error_mapping(
    failure: FailureClass,
    *codes: str,
    words: str | Sequence[str] = (),
    statuses: Collection[int] = AMBIGUOUS_STATUSES,
    too_long: bool = False,
    feature: str | None = None,
    source: str = "",
    keywords: Sequence[str] = (),
) -> ErrorMapping:
    """Return a row.

    Args:
        failure: The failure class.
        *codes: Codes of the vendor.
        words: Regular expressions. One match is enough.
        statuses: HTTP statuses of the row.
        too_long: Whether only a larger context window helps.
        feature: The unsupported parameter.
        source: Source and date of the row.
        keywords: Words of which every match of the patterns contains one.
    """
    patterns = (words,) if isinstance(words, str) else tuple(words)
    lowered = frozenset(code.lower() for code in codes)
    return ErrorMapping(failure, lowered, patterns, frozenset(statuses), too_long, feature, source, tuple(keywords))


def find_mapping(status: int, code: str | None, error: ErrorBody, rows: Iterable[ErrorMapping]) -> ErrorMapping | None:
    """Return the row that explains an error, ``None`` when no row does.

    Args:
        status: HTTP status.
        code: The code that the connector read.
        error: The error body.
        rows: The connector's rows, then the common rows.
    """
    eligible = [row for row in rows if status in row.statuses]
    codes = [one.lower() for one in (code, *error.codes) if one]
    by_code = next((row for one in codes for row in eligible if one in row.codes), None)
    if by_code is not None:
        return by_code
    text = plain(error.text)
    lowered = text.lower() if text.isascii() else None
    for row in eligible:
        if (not row.codes and not row.words) or (_may_match(row, lowered) and _match_words(row, text)):
            return row
    return None


def _may_match(row: ErrorMapping, lowered: str | None) -> bool:
    """Return whether a text in lower case can match a pattern of a row. ``None`` is a text whose case is not that of ASCII."""
    return lowered is None or not row.keywords or any(word in lowered for word in row.keywords)


def _match_words(row: ErrorMapping, text: str) -> re.Match[str] | None:
    return next((found for found in (_compiled(pattern).search(text) for pattern in row.words) if found), None)


@cache
def _compiled(pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    """Compile a pattern when an error is searched for it. All patterns together would take most of the import."""
    return re.compile(pattern, re.IGNORECASE) if isinstance(pattern, str) else pattern


def plain(text: str) -> str:
    """Return a message without quotes and with single spaces, so that patterns do not depend on a vendor's quoting."""
    return _SPACES.sub(" ", text.translate(_QUOTES)).strip()


def find_unsupported_parameter(row: ErrorMapping, error: ErrorBody) -> str | None:
    """Return the parameter that the model does not support in the caller's spelling, ``None`` when the vendor names none."""
    if row.failure is not _F.CAPABILITY or row.too_long:
        return None
    match = _match_words(row, plain(error.text))
    named = match.groupdict().get("parameter") if match else None
    found = row.feature or (error.param if row.codes & UNSUPPORTED else None) or named
    if found is None:
        return None
    found = _CAMEL.sub(r"_\1", found).lower()
    return None if re.split(r"[.\[]", found)[0] in _OF_EVERY_REQUEST else found


_OF_EVERY_REQUEST = frozenset({"messages", "model", "input", "contents", "prompt", "stream", "role", "content"})
"""Parameters of every request. A refusal of one is not a fact about the model, which would never be tried again."""

UNSUPPORTED = frozenset({"unsupported_parameter", "unsupported_value"})

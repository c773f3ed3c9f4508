"""Validation of an embeddings answer: one vector per input, in input order, all of one length.

A caller stores ``data[i].embedding`` as the vector of ``input[i]``. A vector that is missing, misplaced, empty or of another
length is therefore a silent wrong answer, and the answer that contains it is rejected as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

_NUMBERS = frozenset({int, float})
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_PADDINGS = (b"", b"=", b"==")


def count_inputs(payload: Mapping[str, Any]) -> int | None:
    """Return the number of vectors that a request for embeddings requires.

    Args:
        payload: The request in OpenAI's format. ``input`` is a text, a list of texts, a list of token numbers, or a list of
            such lists.

    Returns:
        ``None`` when the request has no ``input`` of these forms, as with a vendor's own parameters.
    """
    given = payload.get("input")
    if isinstance(given, str):
        return 1
    if not isinstance(given, list) or not given:
        return None
    return 1 if all(type(one) is int for one in given) else len(given)


def reject_vectors(payload: Mapping[str, Any], rows: Any, *, checked: bool = False) -> str | None:
    """Check the vectors of an answer and put them into input order.

    Args:
        payload: The request.
        rows: ``data`` of the answer. Rows out of order are sorted in place, and a missing ``index`` is filled in.
        checked: Whether the connector checked the numbers of lists, see :attr:`.Answer.vectors_checked`.

    Returns:
        Why the answer is invalid, ``None`` for a valid one.
    """
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return "'data' is not a list of embeddings"
    wanted = count_inputs(payload)
    if wanted is not None and len(rows) != wanted:
        return f"it holds {len(rows)} embeddings for {wanted} inputs"
    return _reject_order(rows) or _reject_values([row.get("embedding") for row in rows], checked=checked)


def _reject_order(rows: list[dict[str, Any]]) -> str | None:
    places = [row.get("index") for row in rows]
    if all(place is None for place in places):
        for place, row in enumerate(rows):
            row["index"] = place
        return None
    if any(type(place) is not int for place in places) or sorted(places) != list(range(len(rows))):  # type: ignore[type-var]
        return "the indexes of its embeddings are not the positions of the inputs"
    rows.sort(key=lambda row: row["index"])
    return None


def _reject_values(vectors: Sequence[Any], *, checked: bool) -> str | None:
    lengths = set()
    for place, vector in enumerate(vectors):
        size = len(vector) if checked and type(vector) is list else _length(vector)
        if not size:
            return f"embedding {place} is not a vector of numbers"
        lengths.add((type(vector), size))
    return "its embeddings have different lengths" if len(lengths) > 1 else None


def _length(vector: Any) -> int:
    """Return the length of a vector, of its bytes for base64, and 0 for anything else."""
    if isinstance(vector, str):
        return _length_of_base64(vector)
    if not isinstance(vector, list):
        return 0
    types = list(map(type, vector))
    if types.count(float) != len(vector) and not _NUMBERS.issuperset(types):  # counting takes a third of the time of the set
        return 0
    try:
        return len(vector) if math.isfinite(sum(vector)) else 0
    except OverflowError:  # numbers too large for a vector
        return 0


def _length_of_base64(text: str) -> int:
    """Return the number of encoded bytes, 0 for an invalid text. Removing the letters takes a fifth of the time of decoding."""
    rest = text.encode(errors="replace").translate(None, _BASE64)
    if len(text) % 4 or rest not in _PADDINGS or not text.endswith(rest.decode()):
        return 0
    return len(text) // 4 * 3 - len(rest)

"""Heads of responses that differ harmlessly from the standard, as some servers send them and httpx2 accepts them.

llhttp refuses such heads. The connection serves no further request after one, because another program on the way may have read
it differently.
"""

from __future__ import annotations

_LENGTH = b"content-length"


def end_of_head(data: bytes) -> int:
    """Return the place after the empty line that ends a head, 0 before it has come. A line may end with LF only."""
    end = data.find(b"\n\r\n") + 3
    found = end if end > 2 else 0  # noqa: PLR2004 - 2 is "not found"
    early = data.find(b"\n\n", 0, found or len(data))
    return early + 2 if early >= 0 else found


def standard_form(head: bytes) -> bytes:
    """Return a head whose lines end with CR and LF, without folded lines and without a repetition of an equal length.

    Args:
        head: The head with the empty line that ends it.
    """
    lines: list[bytes] = []
    for line in head.split(b"\n"):
        text = line.removesuffix(b"\r")
        if text[:1] in {b" ", b"\t"} and len(lines) > 1:  # a folded line continues a header, never the status line
            lines[-1] = lines[-1].rstrip(b" \t") + b" " + text.strip(b" \t")
        else:
            lines.append(text)
    return b"\r\n".join(_with_one_length(lines))


def _with_one_length(lines: list[bytes]) -> list[bytes]:
    """Drop repetitions of an equal length. Different lengths remain, and llhttp refuses them."""
    first: bytes | None = None
    kept: list[bytes] = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if colon and name.lower() == _LENGTH:
            values = [one.strip(b" \t") for one in value.split(b",")]
            if first is None and len(set(values)) == 1:
                first = values[0]
                kept.append(name + b": " + first)
                continue
            if set(values) == {first}:
                continue
        kept.append(line)
    return kept

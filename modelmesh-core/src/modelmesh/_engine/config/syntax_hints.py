"""Next steps for syntax errors of YAML and JSON files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import json

    from ruamel.yaml.error import MarkedYAMLError


def json_hint(text: str, error: json.JSONDecodeError) -> str:
    """Return what to do about an error of the JSON reader."""
    before = text[: error.pos].rstrip()
    if before.endswith(",") or (error.msg.startswith("Illegal trailing comma")):
        return "Remove the comma before it: JSON allows none after the last entry."
    if text[error.pos : error.pos + 1] == "'":
        return "Write texts in double quotes."
    if text[error.pos : error.pos + 1] in ("#", "/"):
        return "Remove the comment: JSON has none. A file whose name ends in .yaml may have comments."
    return "Correct it there, or name the file .yaml to write it as YAML."


def yaml_hint(text: str, mark: Any, error: MarkedYAMLError) -> str:
    """Return what to do about an error of the YAML reader."""
    lines = text.splitlines()
    at = mark.line if mark else 0
    line = lines[at] if at < len(lines) else ""
    problem = f"{error.problem or ''} {error.context or ''}"
    if "${" in line and "{" in line.replace("${", ""):
        return 'Inside {…} a reference must stand in quotes: "${secrets:NAME}".'
    if "\t" in line[: len(line) - len(line.lstrip())] or "\\t" in problem:
        return "Indent with spaces: YAML allows no tabs there."
    for parts, hint in _HINTS:
        if any(part in problem for part in parts):
            return hint
    return _CLOSE if at >= len(lines) else _COMPARE


_CLOSE = "Close what is open above: a bracket, a brace or a quote."
_COMPARE = "Compare the indentation with the lines above, and put texts with special characters in quotes."
_HINTS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("mapping values are not allowed",),
        "Put a text that contains ': ' in quotes, or write the key on a line of its own.",
    ),
    (
        ("could not find expected ':'", "found unknown escape"),
        "Write 'key: value' with a space after the colon, and put texts with special characters in single quotes.",
    ),
    (("end of stream",), "Close the quote, the bracket or the brace that opens here."),
    (
        ("block collection", "block sequence"),
        "Write items with '- ' or keys at one level, not both, and indent items of one list alike.",
    ),
    (
        ("block end", "block mapping"),
        "Indent keys of one map by the same number of spaces, and keys below them by two more.",
    ),
    (("flow", "expected ',' or"), _CLOSE),
    (("cannot start any token", "special characters"), "Put the text in quotes."),
)
"""What to do, by parts of the YAML reader's message. The first match counts."""

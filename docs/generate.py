"""Writes into the pages what the code knows better: run it after a change, ``--check`` fails where it was forgotten.

A generated part stands between ``<!-- begin: NAME -->`` and ``<!-- end: NAME -->``. The table of the classes of failure is
generated whole. Of the tables of fields the generator writes names, types and defaults, and keeps the last column, which
people write; a field without words fails the check. Tables of records take their words from docstrings where there are any.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import catalogue
import hooks
import kit
import message_rules
import spread
from attrs import NOTHING, Factory, fields, has
from tables import table

from modelmesh._engine.config import schema
from modelmesh.contracts import observability
from modelmesh._engine.foundation import attempts
from modelmesh.contracts import Effect, RULES, RetrySame, Scope

DOCS = Path(__file__).resolve().parent
MISSING = "(say what it means)"
PART = re.compile(r"(<!-- begin: (?P<name>[\w ]+) -->\n)(?P<body>.*?)(<!-- end: (?P=name) -->)", re.DOTALL)

# -- the classes of failure -----------------------------------------------------------------------------------------

AGAIN = {
    RetrySame.NEVER: "no",
    RetrySame.IMMEDIATELY_ONCE: "once, at once",
    RetrySame.IF_ONLY_TARGET: "when alone",
    RetrySame.IF_ONLY_TARGET_ONCE: "once, when alone",
}


def classes(_: str) -> str:
    """Return the table of the classes of failure."""
    rows = [
        f"| `{kind}` | {rule.meaning} | {'yes' if rule.rotate else '**no**'} | {AGAIN[rule.retry_same]} "
        f"| {_effect(rule)} | {rule.billed} | `{rule.error.__name__}` |"
        for kind, rule in RULES.items()
    ]
    return table(("class", "what happened", "next model", "same model again", "health", "billed", "error"), rows)


def _effect(rule: Any) -> str:
    if rule.effect is Effect.NONE or rule.scope is Scope.NONE:
        return "untouched"
    if rule.effect is Effect.COUNT_FAILURE:
        return f"{rule.scope}: counts as a failure"
    longest = f", doubling to {_span(rule.cooldown_cap_s)}" if rule.cooldown_cap_s > rule.cooldown_s else ""
    return f"{rule.scope}: off at once, {_span(rule.cooldown_s)}{longest}"


def _span(seconds: float) -> str:
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


# -- tables of fields -----------------------------------------------------------------------------------------------

WORDS = {
    "Seconds": "duration",
    "Price": "USD",
    "Minutes": "cron expression",
    "Zone": "time zone",
    "tuple[Literal['model', 'provider', 'pool'], ...]": "list of `model`, `provider`, `pool`",
    "RequestPrice": "USD",
    "list[PriceBandSection]": "list of maps, see below",
    "Codes": "list of statuses",
    "Names": "list of names",
    "Fraction": "share, 0 to 1",
    "Size": "size",
    "Features": "map of true or false",
    "ModelBatch": "true or false, or a map",
    "Delivery": "delivery modes",
    "Any": "anything",
    "str": "text",
    "bool": "true or false",
    "int": "whole number",
    "float": "number",
    "dict[str, Any]": "map",
    "dict[str, bool]": "map of true or false",
    "list[Any]": "list",
    "list[str]": "list of texts",
    "Mapping[str, Any]": "map",
    "Sequence[str]": "list of texts",
    "tuple[Mapping[str, Any], ...]": "list of maps",
}


def keys_of(cls: type[Any]) -> Callable[[str], str]:
    """Return what makes the table of a section's keys."""

    def written(before: str) -> str:
        said = _words_on_the_page(before)
        rows = [
            f"| `{f.name}` | {_type(str(f.type))} | {_default(f.default)} | {said.get(f.name, MISSING)} |" for f in fields(cls)
        ]
        return table(("key", "type", "default", "meaning"), rows)

    return written


def fields_of(cls: type[Any]) -> Callable[[str], str]:
    """Return what makes the table of a record's fields; what its docstring says of one goes before what the page says."""

    def written(before: str) -> str:
        said = _words_on_the_page(before) | _words_of_the_docstring(cls.__doc__ or "")
        rows = [f"| `{f.name}` | {_type(str(f.type))} | {said.get(f.name, MISSING)} |" for f in fields(cls)]
        return table(("field", "type", "meaning"), rows)

    return written


def _words_on_the_page(table: str) -> dict[str, str]:
    return dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", table, re.MULTILINE))


def _words_of_the_docstring(text: str) -> dict[str, str]:
    entries = re.findall(r"^ {8}(\w+): (.+(?:\n {12}.+)*)", text.partition("Attributes:\n")[2], re.MULTILINE)
    roles = re.compile(r":\w+:`~?([\w.]+)`")
    return {name: roles.sub(r"`\1`", " ".join(words.split())).replace("``", "`") for name, words in entries}


def _type(annotation: str) -> str:
    kind = annotation.removesuffix(" | None")
    if kind.startswith("Literal["):
        return " or ".join(f"`{word}`" for word in re.findall(r"""["']([^"']+)["']""", kind))
    named = vars(schema).get(kind)
    if isinstance(named, type) and issubclass(named, Enum):
        return " or ".join(f"`{one.value}`" for one in named)
    if kind.endswith("Section"):
        return "map, see below"
    return WORDS.get(kind, f"`{kind}`")


def _default(value: Any) -> str:
    if value is NOTHING:
        return "required"
    if value is None:
        return "none"
    if isinstance(value, Factory) or has(type(value)) or value == ():  # type: ignore[arg-type]
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return f"`{value.value}`"
    if isinstance(value, tuple):
        return ", ".join(f"`{one}`" for one in value)
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


# -- the pages ------------------------------------------------------------------------------------------------------

SECTIONS = {name: keys_of(cls) for name, cls in vars(schema).items() if name.endswith("Section")}
RECORDS = {
    cls.__name__: fields_of(cls)
    for cls in (
        observability.RoutingEvent,
        observability.RequestLogEntry,
        observability.AggregateStats,
        observability.TraceEntry,
        attempts.Attempt,
    )
}
STRATEGIES = "reference/strategies.md"


def pictures() -> dict[str, Callable[[str], str]]:
    """Return what draws the spread of each strategy; the picture of one that is not installed stays as it is."""
    there = {match["name"]: lambda before: before for match in PART.finditer((DOCS / STRATEGIES).read_text("utf-8"))}
    return {**there, **spread.parts()}


PAGES: dict[str, dict[str, Callable[[str], str]]] = {
    "explanation/what-happens-when-a-provider-fails.md": {"classes": classes},
    "how-to/test-a-connector.md": {"standard tests": kit.standard_tests},
    "reference/catalogue.md": {
        "overview": catalogue.overview,
        "providers": catalogue.providers,
        "others": catalogue.others,
    },
    "reference/configuration.md": SECTIONS,
    "reference/connector-hooks.md": {"hooks": hooks.hooks},
    "reference/message-rules.md": {"vendors": message_rules.vendors},
    "reference/observability-records.md": RECORDS,
    STRATEGIES: pictures(),
}


def renewed(page: str, text: str) -> str:
    """Return a page with its generated parts made anew.

    Raises:
        ValueError: A part is missing, or is none of ours.
    """
    makers, seen = PAGES[page], []

    def make(match: re.Match[str]) -> str:
        seen.append(match["name"])
        if match["name"] not in makers:
            message = f"docs/{page}: nothing generates {match['name']!r}"
            raise ValueError(message)
        return match[1] + makers[match["name"]](match["body"]) + match[4]

    text = PART.sub(make, text)
    missing = [name for name in makers if name not in seen]
    if missing:
        message = (
            f"docs/{page}: has no place for {', '.join(missing)}; add <!-- begin: {missing[0]} --> and <!-- end: {missing[0]} -->"
        )
        raise ValueError(message)
    return text


def main(arguments: list[str]) -> int:
    """Rewrite the pages, or with ``--check`` say which are stale; return the exit code."""
    stale = False
    for page in PAGES:
        file = DOCS / page
        text = file.read_text("utf-8")
        try:
            new = renewed(page, text)
        except ValueError as error:
            print(error)
            stale = True
            continue
        if MISSING in new:
            print(f"docs/{page}: a field has no words yet; look for {MISSING!r}")
            stale = True
        if new != text and "--check" in arguments:
            print(f"docs/{page} is stale; write it anew: python docs/generate.py")
            stale = True
        elif new != text:
            file.write_text(new, "utf-8")
            print(f"docs/{page} written")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

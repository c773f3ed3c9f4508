"""Tables of the conformance tests: the rule of each test, and the faulty fixtures that it detects."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from markdown import table

from modelmesh.contracts import Kind
from modelmesh_cdk.testing.conformance import GUARD
from modelmesh_cdk.testing.report import groups_of

FAKES = Path(__file__).resolve().parents[2] / "modelmesh-cdk" / "tests" / "kit" / "fakes"


def conformance_tests(_: str) -> str:
    """Return a table for each kit."""
    found = _fakes()
    kits = sorted(found, key=lambda kit: (list(Kind).index(kit.kind), kit.__name__))
    return "\n".join(f"### `{kit.__name__}`\n\n{_table_of(kit, found[kit])}\n" for kit in kits)


def _fakes() -> dict[Any, dict[str, list[str]]]:
    """Return the names of faulty fixtures by kit and conformance test."""
    found: dict[Any, dict[str, list[str]]] = {}
    files = sorted(FAKES.glob("fakes_of_*.py"))
    sys.path.insert(0, str(FAKES))  # fixtures import each other
    for file in files:
        module = importlib.import_module(file.stem)
        for fake, test in module.FAKES:
            found.setdefault(module.KIT, {}).setdefault(test, []).append(fake.__name__)
    if not found:
        message = f"{FAKES}: no module with FAKES and KIT"
        raise ValueError(message)
    return found


def _table_of(kit: Any, found: dict[str, list[str]]) -> str:
    rules = {name: test.__doc__ or "" for name, test in kit.standard_tests()}
    rows = [
        f"| `{name}` | {group} | {_rule(rules[name])} | {', '.join(f'`{fake}`' for fake in found.get(name, ())) or 'none'} |"
        for name, group in groups_of(kit).items()
        if name != GUARD
    ]
    return table(("test", "group", "rule", "detects"), rows)


def _rule(docstring: str) -> str:
    first = " ".join(docstring.partition("\n\n")[0].split())
    return first.replace("``", "`").replace("|", r"\|")

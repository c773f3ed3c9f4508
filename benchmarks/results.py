"""Files of results. The newest committed one is the source of every performance figure in the documentation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from row import Result
from table import cells

FOLDER = Path(__file__).with_name("results")


def newest(besides: Path | None = None) -> Path | None:
    """Return the newest file of the folder by name, which begins with its date."""
    files = sorted(file for file in FOLDER.glob("*.json") if besides is None or file.resolve() != besides.resolve())
    return files[-1] if files else None


def read(file: Path) -> tuple[dict[str, Any], list[Result]]:
    """Return the facts and the results of a run."""
    data = json.loads(file.read_text("utf-8"))
    return data, [Result.of(one) for one in data.pop("results")]


def write(file: Path, facts: dict[str, Any], found: Sequence[Result]) -> None:
    """Write the facts and the results of a run."""
    data = {**facts, "results": [{**one.as_dict(), "cells": cells(one)} for one in found]}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")

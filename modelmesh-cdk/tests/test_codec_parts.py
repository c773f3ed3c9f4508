"""Parameters that a vendor lacks, and parts that every reply has."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from modelmesh_cdk import drop_parameters, required_part


def test_dropped_parameters_are_listed_unless_harmless() -> None:
    request: Any = SimpleNamespace(adapted=[])
    payload = {"prompt": "a cat", "style": "vivid", "quality": "auto", "user": None, "speed": 1.0, "mask": ["x"]}
    drop_parameters(request, payload, ("style", "quality", "user", "speed", "mask", "n"), "Acme", harmless=("auto", 1))
    assert payload == {"prompt": "a cat"}
    assert request.adapted == [f"{name} dropped: Acme has no such parameter" for name in ("style", "mask")]


def test_required_part_has_the_type() -> None:
    assert required_part({"data": [1]}, "data", list) == [1]
    for body in ({}, {"data": None}, {"data": {"0": 1}}):
        with pytest.raises(ValueError, match="^its body has no 'data'$"):
            required_part(body, "data", list)

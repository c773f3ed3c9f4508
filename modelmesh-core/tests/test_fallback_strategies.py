"""What a strategy falls back to: its own choice, the configuration's, or its own with the configuration's behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import modelmesh
from modelmesh._engine.plugins import CONNECTOR_REGISTRY
from modelmesh.testing import MockProvider


class First:
    """Takes the first candidate, and remembers what it was built with."""

    id = "test.first.v1"

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config

    def select(self, candidates: Any, request: Any) -> Any:
        return candidates.first()


class Plain(First):
    id = "test.plain.v1"


class Preferring(First):
    id = "test.preferring.v1"
    default_fallback = "test.plain.v1"


class Keeping(First):
    id = "test.keeping.v1"
    fixed_fallback = "test.preferring.v1"


class Circling(First):
    id = "test.circling.v1"
    default_fallback = "test.circling.v1"


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    classes = (First, Plain, Preferring, Keeping, Circling)
    CONNECTOR_REGISTRY.update({cls.id: cls for cls in classes})
    yield
    for cls in classes:
        del CONNECTOR_REGISTRY[cls.id]


def chain(strategy: str, **pool: Any) -> list[str]:
    """Return the strategies of a pool in order of fallback, then the fallback that the last one has in its settings."""
    config = {"providers": {"here": {"instance": MockProvider()}}, "pools": {"chat-completion": {"strategy": strategy, **pool}}}
    with modelmesh.create(config=config) as client:
        built: Any = client.mesh.get_router().get_pool("chat-completion").strategy
    found = []
    while built is not None:
        found.append(built.id.split(".")[1])
        fallback_name, built = built.config["fallback_strategy"], built.config.get("fallback")
    return [*found, *([fallback_name] if fallback_name else [])]


@pytest.mark.parametrize(
    ("strategy", "fallback", "expected"),
    [
        ("test.plain.v1", None, ["plain"]),
        ("test.plain.v1", "test.first.v1", ["plain", "first"]),
        ("test.preferring.v1", None, ["preferring", "plain"]),
        ("test.preferring.v1", "test.first.v1", ["preferring", "first"]),
        ("test.preferring.v1", "error", ["preferring", "error"]),
        ("test.keeping.v1", None, ["keeping", "preferring", "plain"]),
        ("test.keeping.v1", "test.first.v1", ["keeping", "preferring", "first"]),
        ("test.keeping.v1", "error", ["keeping", "preferring", "error"]),
        ("test.first.v1", "test.keeping.v1", ["first", "keeping", "preferring", "plain"]),
        ("test.circling.v1", None, ["circling", "circling"]),
    ],
)
def test_fallback_strategies_form_a_chain(strategy: str, fallback: str | None, expected: list[str]) -> None:
    assert chain(strategy, **({} if fallback is None else {"fallback_strategy": fallback})) == expected

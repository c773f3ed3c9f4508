"""Store under test: class variables that describe it, and fixtures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import pytest

from modelmesh._engine.plugins.resolver import build
from modelmesh.contracts import Kind
from modelmesh_cdk.testing.naming import NamedConnector


class Subject(NamedConnector):
    """The store under test."""

    kind = Kind.STORAGE

    storage_class: ClassVar[Any]
    """Class of the entry point."""

    persists: ClassVar[bool] = False
    """Whether a new instance with the same settings has the entries. Such instances also share locks and counters."""

    threads: ClassVar[int] = 8
    """Number of concurrent threads."""

    rounds: ClassVar[int] = 10
    """Number of operations of each thread. Reduce it for a remote store."""

    examples: ClassVar[int] = 30
    """Number of generated entries of the round-trip test."""

    @property
    def connector(self) -> Any:
        """The class under test."""
        return self.storage_class

    @pytest.fixture
    def settings(self) -> Mapping[str, Any]:
        """Settings of an empty store. Override this fixture if the store needs settings."""
        return {}

    @pytest.fixture
    def make(self, settings: Mapping[str, Any]) -> Iterator[Callable[..., Any]]:
        """Factory of stores, which are closed after the test."""
        made = []

        def making(**more: Any) -> Any:
            made.append(build(self.storage_class, {**settings, **more}, self.storage_class.id))
            return made[-1]

        yield making
        for one in made:
            getattr(one, "close", lambda: None)()

    @pytest.fixture
    def store(self, make: Callable[..., Any]) -> Any:
        """An empty store."""
        return make()

    @pytest.fixture
    def broken(self) -> Any:
        """A store with an unreachable backend. Override this fixture if the store has one."""
        pytest.skip(f"{type(self).__name__} gives no fixture 'broken'")


def offers(store: Any, part: type) -> None:
    """Skip the test if the store does not implement a part of the contract."""
    if not isinstance(store, part):
        pytest.skip(f"the store offers no {part.__name__}")

"""The store under test, and what its author says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import pytest

from modelmesh._engine.plugins.resolver import build
from modelmesh.contracts import Kind
from modelmesh_cdk.testing.naming import Named


class Subject(Named):
    """What all parts of the kit work with."""

    kind = Kind.STORAGE

    storage_class: ClassVar[Any]
    """The class that the entry point names."""

    persists: ClassVar[bool] = False
    """Whether entries are there for a new instance with the same settings; such instances share locks and counters too."""

    threads: ClassVar[int] = 8
    """How many threads use it at once."""

    rounds: ClassVar[int] = 10
    """How often each of them does; fewer for a store that is far away."""

    examples: ClassVar[int] = 30
    """How many entries are made up for the round trip."""

    @property
    def connector(self) -> Any:
        """The class under test."""
        return self.storage_class

    @pytest.fixture
    def settings(self) -> Mapping[str, Any]:
        """Settings of an empty place to store in; the author gives it, when the store needs any."""
        return {}

    @pytest.fixture
    def make(self, settings: Mapping[str, Any]) -> Iterator[Callable[..., Any]]:
        """What makes a store of the settings, as the mesh would; closed at the end when it can be."""
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
        """A store that cannot reach what it stores in; the author gives it, when that can happen."""
        pytest.skip(f"{type(self).__name__} gives no fixture 'broken'")


def offers(store: Any, part: type) -> None:
    """Skip the test when the store does not offer a part of the contract."""
    if not isinstance(store, part):
        pytest.skip(f"the store offers no {part.__name__}")

"""Conformance tests of secret stores."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest

from modelmesh._engine.plugins.resolver import build
from modelmesh.contracts import Kind
from modelmesh.contracts.secret_store import SecretManagement
from modelmesh_cdk.testing.naming import NamedConnector

SECRETS: Mapping[str, str] = {
    "KIT_PLAIN": "test-plain-value",
    "KIT_ODD": "test $HOME = 'ü' # \"no comment\"",
    "KIT_SPACED": "test with spaces",
}
"""Secrets of the store under test, with values that a careless parser changes."""


class SecretStoreConformance(NamedConnector):
    """Derive a test class, set ``store_class``, and override the fixture ``store`` with a store that contains ``SECRETS``.

    Example:
        ::

            class TestVault(SecretStoreConformance):
                store_class = Vault

                @pytest.fixture
                def store(self, tmp_path):
                    return self.make(path=write(tmp_path, self.secrets))
    """

    kind = Kind.SECRET_STORE

    store_class: ClassVar[Any]
    """Class of the entry point."""

    secrets: ClassVar[Mapping[str, str]] = SECRETS
    """Secrets of the store by name. A store with a restricted format may use other values."""

    @property
    def connector(self) -> Any:
        """The class under test."""
        return self.store_class

    def make(self, **settings: Any) -> Any:
        """Return a store as the mesh creates it."""
        return build(self.store_class, settings, self.store_class.id)

    @pytest.fixture
    def store(self) -> Any:
        """A store that contains :attr:`secrets`. Override this fixture."""
        pytest.fail(f"{type(self).__name__} gives no fixture 'store' that holds {sorted(self.secrets)}")

    def test_get_returns_the_value(self, store: Any) -> None:
        """A name gives its exact value."""
        assert {name: store.get(name) for name in self.secrets} == dict(self.secrets)

    def test_get_repeated_returns_the_value(self, store: Any) -> None:
        """A second read gives the same value."""
        assert [store.get(name) for name in self.secrets] == [store.get(name) for name in self.secrets]

    def test_get_returns_text(self, store: Any) -> None:
        """A value is a ``str``."""
        assert {type(store.get(name)) for name in self.secrets} == {str}

    def test_get_missing_name_raises_key_error(self, store: Any) -> None:
        """An unknown name raises ``KeyError`` with that name. It is not an empty value and not ``None``."""
        with pytest.raises(KeyError, match="KIT_OF_NOBODY"):
            store.get("KIT_OF_NOBODY")

    def test_value_is_in_no_repr(self, store: Any) -> None:
        """The representation of the store shows no value, before a read and after it."""
        before = f"{store!r} {store}"
        for name in self.secrets:
            store.get(name)
        shown = f"{before} {store!r} {store} {getattr(store, 'config', '')!r}"
        assert [name for name, value in self.secrets.items() if value in shown] == []

    def test_value_is_in_no_error(self, store: Any) -> None:
        """The error for a missing name shows no value of another name."""
        for name in self.secrets:
            store.get(name)
        with pytest.raises(KeyError) as caught:
            store.get("KIT_OF_NOBODY")
        shown = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
        assert [name for name, value in self.secrets.items() if value in shown] == []

    def test_get_in_threads_returns_own_value(self, store: Any) -> None:
        """Threads that read at the same time each get the value of their name."""
        names = [name for name in self.secrets for _ in range(40)]
        with ThreadPoolExecutor(8) as threads:
            got = list(threads.map(store.get, names))
        assert got == [self.secrets[name] for name in names]

    def test_set_value_is_readable(self, store: Any) -> None:
        """In a store that manages secrets, a new or replaced value is readable at once."""
        manages(store)
        for value in ("test-first", "test-second"):
            store.set("KIT_OF_THE_TEST", value)
            assert store.get("KIT_OF_THE_TEST") == value

    def test_list_has_names_and_no_values(self, store: Any) -> None:
        """In a store that manages secrets, the list has every name and no value."""
        manages(store)
        store.set("KIT_OF_THE_TEST", "test-listed")
        listed = store.list()
        assert set(listed) >= {*self.secrets, "KIT_OF_THE_TEST"}
        assert not {*self.secrets.values(), "test-listed"} & set(listed)

    def test_delete_makes_get_raise_key_error(self, store: Any) -> None:
        """In a store that manages secrets, a deleted name raises ``KeyError`` at once, also on a second delete."""
        manages(store)
        store.set("KIT_OF_THE_TEST", "test-deleted")
        assert store.get("KIT_OF_THE_TEST") == "test-deleted"
        store.delete("KIT_OF_THE_TEST")
        with pytest.raises(KeyError):
            store.get("KIT_OF_THE_TEST")
        with pytest.raises(KeyError):
            store.delete("KIT_OF_THE_TEST")


def manages(store: Any) -> None:
    """Skip the test if the store is read-only."""
    if not isinstance(store, SecretManagement):
        pytest.skip("the store offers no set, list and delete")

"""Tests of errors and representations."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from modelmesh.contracts.storage import StorageEntry
from modelmesh.errors import StorageError
from modelmesh_cdk.testing.storage.subject import Subject

SECRET = "test-kit-secret-4711"  # noqa: S105 - what must not be shown


class Failures(Subject):
    """Errors are typed and helpful, and neither errors nor representations show stored data."""

    @pytest.mark.parametrize("method", ["load", "save", "list", "delete", "stat", "exists"])
    def test_unreachable_backend_raises_storage_error(self, broken: Any, method: str) -> None:
        """An unreachable backend raises ``StorageError`` with the store's ID. It is not an empty store."""
        arguments = {"save": ("kit/broken", StorageEntry("", b"x")), "list": ()}.get(method, ("kit/broken",))
        with pytest.raises(StorageError) as caught:
            getattr(broken, method)(*arguments)
        assert caught.value.connector_id == self.storage_class.id
        assert self.storage_class.id in str(caught.value)

    def test_error_shows_no_data(self, broken: Any) -> None:
        """The saved data is in no message and no traceback of the error."""
        with pytest.raises(StorageError) as caught:
            broken.save("kit/broken", StorageEntry("", SECRET.encode()))
        assert SECRET not in "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))

    def test_repr_shows_no_data(self, store: Any) -> None:
        """The representations of the store, its settings and an entry show no stored data."""
        store.save("kit/secret", StorageEntry("", SECRET.encode(), {"token": SECRET}))
        shown = f"{store!r} {store} {getattr(store, 'config', '')!r} {store.load('kit/secret')!r} {store.stat('kit/secret')!r}"
        assert SECRET not in shown

    def test_repr_shows_no_setting(self, make: Any) -> None:
        """The representations of the store and its settings show no setting that may be a password."""
        store = make(password=SECRET, options={"token": SECRET})
        assert SECRET not in f"{store!r} {store} {getattr(store, 'config', '')!r}"

    def test_close_may_be_repeated(self, make: Any) -> None:
        """A second close has no effect, whether or not the store was used."""
        used = make()
        used.save("kit/closed", StorageEntry("", b"x"))
        for store in (used, make()):
            for _ in range(2):
                getattr(store, "close", lambda: None)()

"""Conformance tests of stores, one module for each part of the contract."""

from __future__ import annotations

from modelmesh_cdk.testing.storage.entries import Entries
from modelmesh_cdk.testing.storage.failures import Failures
from modelmesh_cdk.testing.storage.locks import Locks
from modelmesh_cdk.testing.storage.sharing import Sharing

__all__ = ["StorageConformance"]


class StorageConformance(Entries, Sharing, Locks, Failures):
    """Derive a test class, set ``storage_class``, and override the fixture ``settings`` with settings of an empty store.

    The tests cover the parts of :class:`~modelmesh.contracts.ConditionalSave`, :class:`~modelmesh.contracts.Locking` and
    :class:`~modelmesh.contracts.Counters` that the store implements. Tests of other parts are skipped.

    Example:
        ::

            class TestShelf(StorageConformance):
                storage_class = Shelf
                persists = True

                @pytest.fixture
                def settings(self, tmp_path):
                    return {"path": str(tmp_path / "shelf")}
    """

"""What every store of state keeps, one file for each part of the contract."""

from __future__ import annotations

from modelmesh_cdk.testing.storage.entries import Entries
from modelmesh_cdk.testing.storage.failures import Failures
from modelmesh_cdk.testing.storage.locks import Locks
from modelmesh_cdk.testing.storage.sharing import Sharing

__all__ = ["StorageConformance"]


class StorageConformance(Entries, Sharing, Locks, Failures):
    """Derive a test class, set ``storage_class``, and give a fixture ``settings`` of an empty place.

    What the store offers of :class:`~modelmesh.contracts.ConditionalSave`, :class:`~modelmesh.contracts.Locking` and
    :class:`~modelmesh.contracts.Counters` is tested; what it does not offer is skipped.

    Example:
        ::

            class TestShelf(StorageConformance):
                storage_class = Shelf
                persists = True

                @pytest.fixture
                def settings(self, tmp_path):
                    return {"path": str(tmp_path / "shelf")}
    """

"""Conformance of the SQLite store."""

from __future__ import annotations

import pytest
from modelmesh_storage_sqlite import SqliteStorage

from modelmesh_cdk.testing import StorageConformance


class TestSqlite(StorageConformance):
    storage_class = SqliteStorage
    persists = True

    @pytest.fixture(params=[False, True], ids=["plain", "compressed"])
    def settings(self, request, tmp_path):
        path = str(tmp_path / "a" / "b" / "state.db")
        return {"path": path, "persistence": {"compression": request.param}, "locking": {"retry_interval": "5ms"}}

    @pytest.fixture
    def broken(self, make, tmp_path):
        tmp_path.joinpath("file").write_text("no folder")
        return make(path=str(tmp_path / "file" / "state.db"))

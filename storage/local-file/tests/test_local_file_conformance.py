"""Conformance of the store with one file, with a folder and with compression."""

from __future__ import annotations

import pytest
from modelmesh_storage_local_file import LocalFileStorage

from modelmesh_cdk.testing import StorageConformance


class TestOneFile(StorageConformance):
    storage_class = LocalFileStorage
    persists = True
    place = "a/b/mesh-state.json"

    @pytest.fixture
    def settings(self, tmp_path):
        return {"path": str(tmp_path / self.place), "locking": {"retry_interval": "5ms"}}

    @pytest.fixture
    def broken(self, make, tmp_path):
        tmp_path.joinpath("file").write_text("no folder")
        return make(path=str(tmp_path / "file" / self.place))


class TestFolder(TestOneFile):
    place = "state"


class TestCompressed(TestOneFile):
    @pytest.fixture
    def settings(self, tmp_path):
        return {
            "path": tmp_path / "mesh-state.json",
            "persistence": {"compression": True},
            "retry_interval": "5ms",
            "backup": False,
        }

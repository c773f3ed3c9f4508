"""Conformance of the stores of core and kit, in every format."""

from __future__ import annotations

import pytest

from modelmesh._engine.builtin.memory import MemoryStorage
from modelmesh_cdk import KeyValueStorage
from modelmesh_cdk.testing import StorageConformance


class TestMemory(StorageConformance):
    storage_class = MemoryStorage


class TestKeyValueInMemory(StorageConformance):
    storage_class = KeyValueStorage

    @pytest.fixture(params=["json", "yaml", "msgpack"])
    def settings(self, request):
        if request.param == "msgpack":
            pytest.importorskip("msgspec")
        return {"format": request.param, "locking": {"retry_interval": "5ms"}}


class TestKeyValueInFiles(StorageConformance):
    storage_class = KeyValueStorage
    persists = True

    @pytest.fixture(params=[False, True], ids=["plain", "compressed"])
    def settings(self, request, tmp_path):
        shelf = {"backend": "file", "directory": str(tmp_path / "a" / "shelf")}
        return {**shelf, "compression": request.param, "retry_interval": "5ms"}

    @pytest.fixture
    def broken(self, make, tmp_path):
        tmp_path.joinpath("file").write_text("no folder")
        return make(directory=str(tmp_path / "file" / "shelf"))

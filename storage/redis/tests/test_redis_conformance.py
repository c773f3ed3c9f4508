"""Conformance of the store on Redis and on Valkey."""

from __future__ import annotations

import socket
from uuid import uuid4

import pytest
from modelmesh_storage_redis import RedisStorage

from modelmesh.cdk.testing import StorageConformance


class TestRedis(StorageConformance):
    storage_class = RedisStorage
    persists = True

    @pytest.fixture
    def settings(self, shared):
        return {"port": shared.port, "prefix": f"test[*?]-{uuid4().hex}:", "timeout": "10s", "locking": {"retry_interval": "5ms"}}

    @pytest.fixture
    def broken(self, make):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return make(host="127.0.0.1", port=probe.getsockname()[1])

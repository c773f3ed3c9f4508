"""Conformance of the store with the S3 server of moto."""

from __future__ import annotations

import socket

import pytest
from modelmesh_storage_s3 import S3Storage

from modelmesh.cdk.testing import StorageConformance


class TestS3(StorageConformance):
    storage_class = S3Storage
    persists = True
    threads = 4
    rounds = 4
    examples = 10

    @pytest.fixture
    def settings(self, place):
        return {**place, "locking": {"retry_interval": "5ms"}}

    @pytest.fixture
    def broken(self, make):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return make(endpoint_url=f"http://127.0.0.1:{probe.getsockname()[1]}")

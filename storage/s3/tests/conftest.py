"""S3 server of moto on the loopback address."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any
from uuid import uuid4

import boto3
import pytest

KEYS = {"access_key_id": "test", "secret_access_key": "test"}


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    moto = pytest.importorskip("moto.server", reason="moto is not installed")
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication as Application

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    serial, answer = Lock(), Application.__call__  # moto answers 500 when an object is replaced while it is put

    def serially(*arguments: Any) -> Any:
        with serial:
            return answer(*arguments)

    patch = pytest.MonkeyPatch()
    patch.setattr(Application, "__call__", serially)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
    patch.undo()


@pytest.fixture(autouse=True)
def _no_aws_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in (
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ENDPOINT_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def direct(endpoint: str) -> Any:
    """Client that accesses the server without the store."""
    made = boto3.client(
        "s3", region_name="eu-central-1", endpoint_url=endpoint, aws_access_key_id="test", aws_secret_access_key="test"
    )
    yield made
    made.close()


@pytest.fixture
def place(direct: Any, endpoint: str) -> Mapping[str, Any]:
    """Settings of an empty bucket."""
    bucket = f"test-{uuid4().hex}"
    direct.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return {"bucket": bucket, "region": "eu-central-1", "endpoint_url": endpoint, "path_style": True, "timeout": "30s", **KEYS}

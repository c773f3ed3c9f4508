"""S3 store beyond the contract: object names, encryption, errors and secrets."""

from __future__ import annotations

import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.exceptions import ClientError
from modelmesh_storage_s3 import S3Storage, S3StorageConfig

from modelmesh.contracts import Secret
from modelmesh.contracts.storage import StorageEntry
from modelmesh.errors import ConfigurationError, StorageConflictError, StorageError

SECRET = "test-secret-4711"


def objects(direct: Any, bucket: str) -> list[str]:
    return [item["Key"] for item in direct.list_objects_v2(Bucket=bucket).get("Contents", ())]


def test_objects_are_named_after_keys(place: Any, direct: Any) -> None:
    store = S3Storage({**place, "prefix": "team/mesh"})
    store.save("modelmesh/state", StorageEntry("", b"x"))
    store.save("../a b", StorageEntry("", b"x"))
    assert objects(direct, place["bucket"]) == ["team/mesh/%2E./a%20b", "team/mesh/modelmesh/state"]
    assert store.list() == ["../a b", "modelmesh/state"]


def test_key_and_endpoint_are_aliases() -> None:
    config = S3StorageConfig.of(
        {"bucket": "test", "key": "mesh-state.json", "endpoint": "http://127.0.0.1:1", "lock_table": None}
    )
    assert (config.prefix, config.endpoint_url) == ("mesh-state.json/", "http://127.0.0.1:1")


@pytest.mark.parametrize("conditional", [False, True])
def test_uploads_request_the_encryption(place: Any, direct: Any, conditional: bool) -> None:
    store = S3Storage({**place, "server_side_encryption": "aws:kms", "kms_key_id": "test-key"})
    if conditional:
        store.save_if("a", StorageEntry("", b"x"), None)
    else:
        store.save("a", StorageEntry("", b"x"))
    head = direct.head_object(Bucket=place["bucket"], Key="modelmesh/a")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"].rpartition("/")[2]) == ("aws:kms", "test-key")


def test_swap_detects_writes_of_other_programs(place: Any, direct: Any) -> None:
    store = S3Storage(place)
    version = store.save_if("a", StorageEntry("", b"mine"), None)
    tagged = store._tagged("a")[1]
    store.save("a", StorageEntry("", b"theirs"))
    assert store._swap("a", b"mine", tagged) is False
    assert store._swap("a", b"mine", None) is False
    direct.delete_object(Bucket=place["bucket"], Key="modelmesh/a")
    assert store._swap("a", b"mine", tagged) is False
    with pytest.raises(StorageConflictError):
        store.save_if("a", StorageEntry("", b"mine"), version)


@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("PreconditionFailed", False),
        ("ConditionalRequestConflict", False),
        ("NoSuchKey", False),
        ("NoSuchBucket", "raised"),
        ("AccessDenied", "raised"),
    ],
)
def test_swap_result_by_error_code(place: Any, monkeypatch: pytest.MonkeyPatch, code: str, result: Any) -> None:
    store = S3Storage(place)

    def put(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": SECRET}}, "PutObject")

    monkeypatch.setattr(store._s3, "put_object", put)
    try:
        found: Any = store._swap("a", b"x", '"tag"')
    except ClientError:
        found = "raised"
    assert found == result


def test_missing_bucket_is_an_error(place: Any) -> None:
    store = S3Storage({**place, "bucket": "test-missing"})
    for ask in (
        lambda: store.load("a"),
        store.list,
        lambda: store.save("a", StorageEntry("", b"x")),
        lambda: store.increment("a"),
    ):
        with pytest.raises(StorageError, match=r"replied NoSuchBucket: create it, or correct storage\.bucket"):
            ask()


def test_client_sends_each_request_once(place: Any) -> None:
    asked: list[str] = []

    class Down(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(503)

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Down) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        store = S3Storage({**place, "endpoint_url": f"http://127.0.0.1:{server.server_port}"})
        with pytest.raises(StorageError, match="replied 503"):
            store.load("a")
        store.close()
        server.shutdown()
    assert len(asked) == 1


def test_secrets_are_never_shown(place: Any) -> None:
    store = S3Storage(
        {**place, "secret_access_key": Secret(SECRET), "session_token": SECRET, "endpoint_url": "http://127.0.0.1:1"}
    )
    assert SECRET not in f"{store!r} {store.config!r} {vars(store)!r}"
    with pytest.raises(StorageError) as caught:
        store.save("a", StorageEntry("", b"x"))
    assert "cannot be reached" in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({}, "storage.bucket"),
        ({"bucket": "test", "lock_table": "locks"}, "storage.lock_table"),
        ({"bucket": "test", "region": "eu-central-1", "access_key_id": "test"}, "storage"),
        ({"bucket": "test", "profile": "missing"}, "storage"),
    ],
)
def test_invalid_settings_are_refused(settings: dict[str, Any], where: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        S3Storage(settings)
    assert caught.value.where == where

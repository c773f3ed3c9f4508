"""Base classes of stores: formats, errors, raw keys, and sharing between processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from attrs import field, frozen, validators

from modelmesh._engine.builtin.memory import MemoryStorage
from modelmesh.contracts import ConditionalSave, Counters, Locking, Storage, StorageEntry
from modelmesh.errors import ConfigurationError, StorageError
from modelmesh_cdk import BaseStorage, BaseStorageConfig, KeyValueStorage


class Shelf(BaseStorage):
    """Minimal store."""

    id = "acme.shelf.v1"
    hint = "Look at the shelf: ls"

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.blobs: dict[str, bytes] = {}

    def _read(self, key):
        return self.blobs.get(key)

    def _write(self, key, blob):
        self.blobs[key] = blob

    def _remove(self, key):
        return self.blobs.pop(key, None) is not None

    def _keys(self, prefix):
        return list(self.blobs)


def test_base_storage_needs_four_hooks() -> None:
    store = Shelf()
    assert isinstance(store, Storage)
    assert not isinstance(store, Locking | ConditionalSave | Counters)
    for whole in (KeyValueStorage(), MemoryStorage()):
        for part in (Storage, Locking, ConditionalSave, Counters):
            assert isinstance(whole, part)


@pytest.mark.parametrize("written", ["json", "yaml", "msgpack"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("data", [b"", b"text \xc3\xbc\nof two lines", b"\x00\xff", b"\xc2\x85"])
def test_load_reads_every_format(written: str, compressed: bool, data: bytes) -> None:
    if written == "msgpack":
        pytest.importorskip("msgspec")
    writer, reader = Shelf({"persistence": {"format": written, "compression": compressed}}), Shelf()
    writer.save("a", StorageEntry("a", data, {"n": [1, None]}))
    reader.blobs = writer.blobs
    assert reader.load("a") == StorageEntry("a", data, {"n": [1, None]})
    assert writer.blobs["a"].startswith(b"\x1f\x8b") == compressed


def test_text_data_is_stored_readable() -> None:
    store = Shelf()
    store.save("a", StorageEntry("a", '{"model": "ü"}'.encode()))
    assert '"text": "{\\"model\\": \\"ü\\"}"' in store.blobs["a"].decode()


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\x1f\x8bno",
        b"\x81\xa1",
        b"version: 1",
        b'{"key": "a", "version": "1"}',
        b"\xff\xfe",
        b": :\n-",
        b"a: *b",
    ],
)
def test_load_of_invalid_blob_names_next_step(blob: bytes) -> None:
    store = Shelf()
    store.blobs["a"] = blob
    for ask in (store.load, store.stat):
        with pytest.raises(StorageError, match=r"'a' in acme.shelf.v1 cannot be read.*Delete it with store.delete") as caught:
            ask("a")
        assert (caught.value.connector_id, caught.value.key) == ("acme.shelf.v1", "a")
    assert store.exists("a")
    assert store.delete("a")


def test_load_of_truncated_blob_raises() -> None:
    store = Shelf({"compression": True})
    store.save("a", StorageEntry("a", b"some data", {"a": 1}))
    whole = store.blobs["a"]
    for length in range(len(whole)):
        store.blobs["a"] = whole[:length]
        with pytest.raises(StorageError):
            store.load("a")


def test_backend_error_names_store_and_next_step() -> None:
    class Failing(Shelf):
        def _write(self, key, blob):
            raise ConnectionResetError(104, "Connection reset by peer")

        def _keys(self, prefix):
            raise RuntimeError("postgres://user:test-password@host")

    with pytest.raises(StorageError) as caught:
        Failing().save("a", StorageEntry("a", b"x"))
    assert str(caught.value) == (
        "the entry 'a' in acme.shelf.v1 cannot be saved: ConnectionResetError: Connection reset by peer. Look at the shelf: ls"
    )
    with pytest.raises(StorageError) as caught:
        Failing().list()
    assert str(caught.value) == "the keys in acme.shelf.v1 cannot be listed: RuntimeError. Look at the shelf: ls"


def test_save_of_non_plain_metadata_raises_type_error() -> None:
    for value in (object(), float("nan"), {1}):
        with pytest.raises(TypeError, match="metadata of 'a' is no plain data"):
            Shelf().save("a", StorageEntry("a", b"x", {"odd": value}))
    with pytest.raises(TypeError, match="bytes, not str"):
        StorageEntry("a", "text")  # type: ignore[arg-type]


def test_raw_keys_of_entries_and_kit_are_distinct() -> None:
    store = KeyValueStorage()
    for key in ("~lock/a", "~counter/a", "~", "~~", "a"):
        store.save(key, StorageEntry(key, key.encode()))
    lock = store.acquire("a", 0)
    assert store.increment("a", 4) == 4
    assert store.list() == ["a", "~", "~counter/a", "~lock/a", "~~"]
    assert store.list("~") == ["~", "~counter/a", "~lock/a", "~~"]
    assert store.load("~lock/a").data == b"~lock/a"  # type: ignore[union-attr]
    assert store.delete("~lock/a")
    assert store.release(lock)


def test_config_accepts_sections_and_flat_keys() -> None:
    nested = {
        "persistence": {"format": "yaml", "sync_policy": "periodic"},
        "locking": {"timeout": "5s", "enabled": True},
        "path": "x",
    }
    flat = {"format": "yaml", "lock_timeout_seconds": 5, "path": "x"}
    assert BaseStorageConfig.of(nested) == BaseStorageConfig.of(flat)
    assert BaseStorageConfig.of(flat).options == {"path": "x"}
    with pytest.raises(ConfigurationError, match="does not encrypt"):
        BaseStorageConfig.of({"persistence": {"encryption": True}})
    with pytest.raises(ValueError, match="format"):
        BaseStorageConfig.of({"format": "toml"})


@frozen(kw_only=True)
class Ported(BaseStorageConfig):
    port: int = field(default=1, converter=int)
    safe: bool = field(default=True, validator=validators.instance_of(bool))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"port": "x"}, "storage.port cannot be used: invalid literal for int"),
        ({"safe": "no"}, "storage.safe cannot be used: 'safe' must be"),
        ({"port": "2", "locking": {"timeout": "soon"}}, "storage.lock_timeout cannot be used: 'soon' is not a duration"),
    ],
)
def test_config_error_names_the_setting(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Ported.of(settings)


def test_counter_with_broken_record_raises(tmp_path: Path) -> None:
    store = KeyValueStorage({"backend": "file", "directory": tmp_path})
    store._write("~counter/a", b"cut")
    with pytest.raises(StorageError, match="counter is no longer readable"):
        store.increment("a", 0)


WORK = """
import sys
from modelmesh.contracts import StorageEntry
from modelmesh.errors import StorageConflictError
from modelmesh_cdk import KeyValueStorage
store = KeyValueStorage({"backend": "file", "directory": sys.argv[1], "retry_interval": "2ms"})
for _ in range(25):
    store.increment("spent", 3)
    lock = store.acquire("turn", 60, expires_s=60)
    read = int(store.load("turn").data)
    store.save("turn", StorageEntry("", str(read + 1).encode()))
    assert store.release(lock)
    while True:
        there = store.load("image")
        try:
            store.save_if("image", StorageEntry("", str(int(there.data) + 1).encode()), there.version)
            break
        except StorageConflictError:
            pass
"""


def test_counter_in_processes_loses_no_addition(tmp_path: Path) -> None:
    store = KeyValueStorage({"backend": "file", "directory": tmp_path})
    for key in ("turn", "image"):
        store.save(key, StorageEntry("", b"0"))
    running = [subprocess.Popen([sys.executable, "-c", WORK, str(tmp_path)]) for _ in range(3)]
    assert [one.wait(120) for one in running] == [0, 0, 0]
    assert (store.increment("spent", 0), store.load("turn").data, store.load("image").data) == (225, b"75", b"75")  # type: ignore[union-attr]


LOCK = """
import sys
from modelmesh_cdk import KeyValueStorage
KeyValueStorage({"backend": "file", "directory": sys.argv[1]}).acquire("turn", 0)
"""


@pytest.mark.skipif(os.name == "nt", reason="there it expires")
def test_lock_of_exited_process_is_free(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", LOCK, str(tmp_path)], check=True)
    store = KeyValueStorage({"backend": "file", "directory": tmp_path})
    assert not store.is_locked("turn")
    assert store.release(store.acquire("turn", 0))


def test_is_over_detects_expired_counters_and_locks() -> None:
    from modelmesh_cdk.storage.shared import is_over

    store = KeyValueStorage()
    store.increment("old", 1, -1.0)
    store.increment("new", 1, 60.0)
    store.increment("for ever")
    store.release(store.acquire("free", 0))
    store.acquire("held", 0)
    store.save("entry", StorageEntry("", b"x"))
    blobs = {key: store._read(key) or b"" for key in store._keys("")}
    assert [key for key, blob in blobs.items() if is_over(key, blob)] == ["~counter/old", "~lock/free"]
    assert not is_over("~counter/cut", b"cut")


@pytest.mark.skipif(os.name == "nt", reason="permissions of Windows are others")
def test_files_are_private_to_owner(tmp_path: Path) -> None:
    store = KeyValueStorage({"backend": "file", "directory": tmp_path / "a" / "shelf"})
    store.save("../../outside", StorageEntry("", b"x"))
    files = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert {one.parent for one in files} == {tmp_path / "a" / "shelf"}
    assert {one.stat().st_mode & 0o777 for one in files} == {0o600}
    assert (tmp_path / "a" / "shelf").stat().st_mode & 0o777 == 0o700

"""Files of the local-file store: format, repair, clean-up and sharing between processes."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from modelmesh_storage_local_file import LocalFileStorage
from modelmesh_storage_local_file.file_format import DamagedError, decode, encode

from modelmesh.contracts import Secret
from modelmesh.contracts.storage import StorageEntry
from modelmesh.errors import ConfigurationError, StorageError


def make(path: Any, **more: Any) -> LocalFileStorage:
    store = LocalFileStorage({"path": str(path), **more})
    store.damage = []  # type: ignore[attr-defined]
    store.on_damage = lambda reason, outcome: store.damage.append((reason, outcome))  # type: ignore[attr-defined]
    return store


def save(store: LocalFileStorage, *values: str, key: str = "a") -> None:
    for value in values:
        store.save(key, StorageEntry(key, value.encode()))


def text(store: LocalFileStorage, key: str = "a") -> str | None:
    found = store.load(key)
    return found.data.decode() if found else None


# -- paths ----------------------------------------------------------------------------------------------------------


def test_single_file_is_readable_json(tmp_path: Path) -> None:
    store = make(tmp_path / "mesh-state.json")
    save(store, "some text")
    store.increment("count", 3)
    written = json.loads((tmp_path / "mesh-state.json").read_text("utf-8"))
    assert written["format"] == 1
    assert "some text" in written["entries"]["a"]
    assert sorted(written["entries"]) == ["a", "~counter/count"]


def test_folder_has_one_file_for_each_entry(tmp_path: Path) -> None:
    store = make(tmp_path / "state")
    for key in ("a", "b"):
        save(store, "first", "second", key=key)
    assert [file.suffix for file in sorted((tmp_path / "state").iterdir())].count(".json") == 2
    store.delete("a")
    store.delete("b")
    assert [file.name for file in (tmp_path / "state").iterdir()] == [".lock"]


def test_default_path_is_a_file_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save(LocalFileStorage(), "x")
    assert (tmp_path / "mesh-state.json").is_file()


@pytest.mark.parametrize("name", ["path", "file_path"])
@pytest.mark.parametrize("seal", [str, Secret])
def test_path_accepts_home_folder_and_secret(name: str, seal: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    save(LocalFileStorage({name: seal("~/kept/mesh-state.json")}), "x")
    assert (tmp_path / "kept" / "mesh-state.json").is_file()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize("name", ["mesh-state.json", ""])
def test_files_are_readable_by_their_owner_only(name: str, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        save(make(tmp_path / "kept" / name), "first", "second")
    finally:
        os.umask(before)
    kept = tmp_path / "kept"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in kept.iterdir()} == {0o600}


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need a privilege on Windows")
def test_save_keeps_a_symbolic_link(tmp_path: Path) -> None:
    real = tmp_path / "volume" / "mesh-state.json"
    real.parent.mkdir()
    (tmp_path / "mesh-state.json").symlink_to(real)
    save(make(tmp_path / "mesh-state.json"), "x")
    assert (tmp_path / "mesh-state.json").is_symlink()
    assert text(make(real)) == "x"


def test_encryption_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not encrypt"):
        make(tmp_path / "x.json", persistence={"encryption": True})


# -- damage ---------------------------------------------------------------------------------------------------------

BLOBS = {"a": b"text", "~counter/b": b'{"value": 1}', "c": b"\x00\xff"}


def test_decode_detects_truncated_or_changed_files() -> None:
    data = encode(BLOBS)
    assert decode(data) == BLOBS
    for place in range(len(data) - 1):  # the last byte is a line break
        for damaged in (data[:place], data[:place] + bytes([data[place] ^ 0x04]) + data[place + 1 :]):
            try:
                assert decode(damaged) == BLOBS, place
            except DamagedError:
                continue


@pytest.mark.parametrize("name", ["mesh-state.json", "state"])
@pytest.mark.parametrize("garbage", [b"", b"\x00" * 4096, b"{}", b"[]", b"null", b"[" * 100_000])
def test_damaged_file_is_replaced_by_its_backup(name: str, garbage: bytes, tmp_path: Path) -> None:
    save(make(tmp_path / name), "first", "second")
    (file,) = tmp_path.rglob("*.json")
    for number in (1, 2):
        file.write_bytes(garbage)
        store = make(tmp_path / name)
        assert text(store) == "first"
        assert file.with_name(f"{file.name}.corrupt-{number}").read_bytes() == garbage
        ((reason, outcome),) = store.damage  # type: ignore[attr-defined]
        assert file.name in reason
        assert f"corrupt-{number}" in outcome
        assert text(make(tmp_path / name)) == "first"
        assert store.list() == ["a"]


@pytest.mark.parametrize("backup", [True, False])
def test_damaged_file_without_backup_starts_empty(backup: bool, tmp_path: Path) -> None:
    file = tmp_path / "mesh-state.json"
    save(make(file, backup=backup), "first", "second")
    assert file.with_name("mesh-state.json.bak").exists() == backup
    for one in tmp_path.glob("mesh-state.json*"):
        one.write_bytes(b"garbage")
    store = make(file, backup=backup)
    save(store, "third")
    assert (text(store), store.list(), len(store.damage)) == ("third", ["a"], 1)  # type: ignore[attr-defined]


def test_damage_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "mesh-state.json").write_bytes(b"garbage")
    assert LocalFileStorage({"path": str(tmp_path / "mesh-state.json")}).list() == []
    assert "corrupt-1" in caplog.text


@pytest.mark.parametrize("before", [True, False])
def test_file_of_a_later_version_moves_to_newer(before: bool, tmp_path: Path) -> None:
    from modelmesh_storage_local_file import file_format

    file = tmp_path / "mesh-state.json"
    if before:
        save(make(file), "first", "second")
    written = json.dumps({"format": 2, "sha256": file_format._digest(2, {}), "entries": {}})
    file.write_text(written, "utf-8")
    store = make(file)
    assert store.list() == (["a"] if before else [])
    save(store, "third")
    assert text(make(file)) == "third"
    assert file.with_name("mesh-state.json.newer-1").read_text("utf-8") == written
    ((reason, outcome),) = store.damage  # type: ignore[attr-defined]
    assert "a later version wrote it (format 2, this one reads 1)" in reason
    assert "newer-1" in outcome


def test_storage_error_contains_key_reason_and_command(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match=r"(?s)'a'.*modelmesh\.local-file\.v1.*(directory|exists).*ls -ld.*storage\.path"):
        save(make(tmp_path / "file" / "mesh-state.json"), "x")


# -- clean-up ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mesh-state.json", "state"])
def test_clean_up_removes_only_own_temporary_files(name: str, tmp_path: Path) -> None:
    save(make(tmp_path / name), "x")
    (file,) = tmp_path.rglob("*.json")
    left = file.with_name(f".{file.name[:40]}.abcd1234.tmp")
    others = [file.with_name(".other.tmp"), file.with_name("notes.tmp"), tmp_path / ".somebody.else.abcd1234.tmp"]
    for one in (left, *others):
        one.write_text("half")
    save(make(tmp_path / name), "y")
    assert not left.exists()
    assert all(one.exists() for one in others)


@pytest.mark.parametrize("name", ["mesh-state.json", "state"])
def test_clean_up_removes_expired_counters(name: str, tmp_path: Path) -> None:
    store = make(tmp_path / name)
    for number in range(20):
        store.increment(f"old-{number}", 1, -1.0)
    store.increment("new", 1, 100.0)
    store.increment("for ever")
    store.release(store.acquire("lock", 0))
    save(store, "x")
    again = make(tmp_path / name)
    again.increment("new")
    held = sorted(again._keys(""))
    assert held == ["a", "~counter/for ever", "~counter/new"]


# -- processes -----------------------------------------------------------------------------------------------------------

COUNT = """
import sys
from modelmesh_storage_local_file import LocalFileStorage

store = LocalFileStorage({"path": sys.argv[1]})
print(*[store.increment("many") for _ in range(25)])
"""
LOCK = """
import sys
from modelmesh_storage_local_file import LocalFileStorage

LocalFileStorage({"path": sys.argv[1]}).acquire("one", 0)
"""


@pytest.mark.parametrize("name", ["mesh-state.json", "state"])
def test_increment_is_exact_with_processes(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", COUNT, tmp_path / name]
    counting = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    sums = [int(one) for process in counting for one in process.communicate()[0].split()]
    assert sorted(sums) == list(range(1, 101))
    assert make(tmp_path / name).increment("many", 0) == 100


@pytest.mark.skipif(os.name == "nt", reason="on Windows such a lock expires instead")
def test_lock_of_an_exited_process_is_free(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", LOCK, tmp_path / "mesh-state.json"], check=True)
    store = make(tmp_path / "mesh-state.json")
    assert not store.is_locked("one")
    assert store.release(store.acquire("one", 0))

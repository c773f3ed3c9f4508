"""What the files are: readable, checked, mended, tidied, shared."""

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
from modelmesh_storage_local_file.image import DamagedError, decoded, encoded

from modelmesh.contracts import Secret
from modelmesh.contracts.storage import StorageEntry
from modelmesh.errors import ConfigurationError, StorageError


def make(path: Any, **more: Any) -> LocalFileStorage:
    store = LocalFileStorage({"path": str(path), **more})
    store.told = []  # type: ignore[attr-defined]
    store.on_damage = lambda why, then: store.told.append((why, then))  # type: ignore[attr-defined]
    return store


def save(store: LocalFileStorage, *values: str, key: str = "a") -> None:
    for value in values:
        store.save(key, StorageEntry(key, value.encode()))


def text(store: LocalFileStorage, key: str = "a") -> str | None:
    found = store.load(key)
    return found.data.decode() if found else None


# -- where ----------------------------------------------------------------------------------------------------------


def test_one_file_is_json_that_a_person_can_read(tmp_path: Path) -> None:
    store = make(tmp_path / "mesh-state.json")
    save(store, "what is kept")
    store.increment("count", 3)
    written = json.loads((tmp_path / "mesh-state.json").read_text("utf-8"))
    assert written["format"] == 1
    assert "what is kept" in written["entries"]["a"]
    assert sorted(written["entries"]) == ["a", "~counter/count"]


def test_a_folder_has_a_file_for_each_key_and_none_for_what_is_deleted(tmp_path: Path) -> None:
    store = make(tmp_path / "state")
    for key in ("a", "b"):
        save(store, "first", "second", key=key)
    assert [file.suffix for file in sorted((tmp_path / "state").iterdir())].count(".json") == 2
    store.delete("a")
    store.delete("b")
    assert [file.name for file in (tmp_path / "state").iterdir()] == [".lock"]


def test_the_default_is_a_file_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save(LocalFileStorage(), "x")
    assert (tmp_path / "mesh-state.json").is_file()


@pytest.mark.parametrize("name", ["path", "file_path"])
@pytest.mark.parametrize("seal", [str, Secret])
def test_the_home_folder_and_sealed_paths(name: str, seal: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    save(LocalFileStorage({name: seal("~/kept/mesh-state.json")}), "x")
    assert (tmp_path / "kept" / "mesh-state.json").is_file()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize("name", ["mesh-state.json", ""])
def test_nobody_else_may_read(name: str, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        save(make(tmp_path / "kept" / name), "first", "second")
    finally:
        os.umask(before)
    kept = tmp_path / "kept"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in kept.iterdir()} == {0o600}


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "volume" / "mesh-state.json"
    real.parent.mkdir()
    (tmp_path / "mesh-state.json").symlink_to(real)
    save(make(tmp_path / "mesh-state.json"), "x")
    assert (tmp_path / "mesh-state.json").is_symlink()
    assert text(make(real)) == "x"


def test_encryption_is_refused_and_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not encrypt"):
        make(tmp_path / "x.json", persistence={"encryption": True})


# -- damage ---------------------------------------------------------------------------------------------------------

BLOBS = {"a": b"text", "~counter/b": b'{"value": 1}', "c": b"\x00\xff"}


def test_whatever_is_cut_or_changed_is_noticed() -> None:
    whole = encoded(BLOBS)
    assert decoded(whole) == BLOBS
    for place in range(len(whole) - 1):  # the last byte is a line break
        for damaged in (whole[:place], whole[:place] + bytes([whole[place] ^ 0x04]) + whole[place + 1 :]):
            try:
                assert decoded(damaged) == BLOBS, place
            except DamagedError:
                continue


@pytest.mark.parametrize("name", ["mesh-state.json", "state"])
@pytest.mark.parametrize("rubbish", [b"", b"\x00" * 4096, b"{}", b"[]", b"null", b"[" * 100_000])
def test_the_image_before_is_used_when_the_file_is_damaged(name: str, rubbish: bytes, tmp_path: Path) -> None:
    save(make(tmp_path / name), "first", "second")
    (file,) = tmp_path.rglob("*.json")
    for number in (1, 2):
        file.write_bytes(rubbish)
        store = make(tmp_path / name)
        assert text(store) == "first"
        assert file.with_name(f"{file.name}.corrupt-{number}").read_bytes() == rubbish
        ((why, then),) = store.told  # type: ignore[attr-defined]
        assert file.name in why
        assert f"corrupt-{number}" in then
        assert text(make(tmp_path / name)) == "first"
        assert store.list() == ["a"]


@pytest.mark.parametrize("backup", [True, False])
def test_nothing_is_left_when_there_is_no_image_before(backup: bool, tmp_path: Path) -> None:
    file = tmp_path / "mesh-state.json"
    save(make(file, backup=backup), "first", "second")
    assert file.with_name("mesh-state.json.bak").exists() == backup
    for one in tmp_path.glob("mesh-state.json*"):
        one.write_bytes(b"rubbish")
    store = make(file, backup=backup)
    save(store, "third")
    assert (text(store), store.list(), len(store.told)) == ("third", ["a"], 1)  # type: ignore[attr-defined]


def test_damage_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "mesh-state.json").write_bytes(b"rubbish")
    assert LocalFileStorage({"path": str(tmp_path / "mesh-state.json")}).list() == []
    assert "corrupt-1" in caplog.text


@pytest.mark.parametrize("before", [True, False])
def test_a_file_of_a_later_version_is_kept_aside(before: bool, tmp_path: Path) -> None:
    from modelmesh_storage_local_file import image

    file = tmp_path / "mesh-state.json"
    if before:
        save(make(file), "first", "second")
    written = json.dumps({"format": 2, "sha256": image._digest(2, {}), "entries": {}})
    file.write_text(written, "utf-8")
    store = make(file)
    assert store.list() == (["a"] if before else [])
    save(store, "third")
    assert text(make(file)) == "third"
    assert file.with_name("mesh-state.json.newer-1").read_text("utf-8") == written
    ((why, then),) = store.told  # type: ignore[attr-defined]
    assert "a later version wrote it (format 2, this one reads 1)" in why
    assert "newer-1" in then


def test_a_failure_says_where_why_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match=r"(?s)'a'.*modelmesh\.local-file\.v1.*(directory|exists).*ls -ld.*storage\.path"):
        save(make(tmp_path / "file" / "mesh-state.json"), "x")


# -- what is left over ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mesh-state.json", "state"])
def test_what_the_dead_left_is_removed_and_nothing_else(name: str, tmp_path: Path) -> None:
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
def test_counters_whose_time_is_up_take_no_room(name: str, tmp_path: Path) -> None:
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


# -- many -----------------------------------------------------------------------------------------------------------

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
def test_processes_lose_no_addition(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", COUNT, tmp_path / name]
    counting = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    sums = [int(one) for process in counting for one in process.communicate()[0].split()]
    assert sorted(sums) == list(range(1, 101))
    assert make(tmp_path / name).increment("many", 0) == 100


@pytest.mark.skipif(os.name == "nt", reason="there it expires")
def test_a_lock_of_a_process_that_has_ended_is_free(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", LOCK, tmp_path / "mesh-state.json"], check=True)
    store = make(tmp_path / "mesh-state.json")
    assert not store.is_locked("one")
    assert store.release(store.acquire("one", 0))

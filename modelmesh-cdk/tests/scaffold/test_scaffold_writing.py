"""Writing of packages: all files or none, and no overwritten file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh.errors import ModelMeshError
from modelmesh_cdk.scaffold import writing
from modelmesh_cdk.scaffold.errors import ScaffoldError, TargetNotEmptyError

FILES = {".hidden": "h\n", "README.md": "«x»\n", "src/acme/__init__.py": "", "src/acme/a.py": "a = 1\n"}


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text("utf-8") if path.is_file() else "/" for path in sorted(folder.rglob("*"))
    }


def only_files(folder: Path) -> dict[str, str]:
    return {name: text for name, text in tree(folder).items() if text != "/"}


@pytest.mark.parametrize("target", ["new", "not/there/yet", "../sibling"])
def test_write_creates_missing_parents(tmp_path: Path, target: str) -> None:
    here = tmp_path / "here"
    here.mkdir()
    writing.write(FILES, here / target)
    assert only_files((here / target).resolve()) == FILES
    assert not list(tmp_path.rglob(".modelmesh-new-*"))


def test_write_keeps_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tmp_path.stat().st_ino
    monkeypatch.chdir(tmp_path)
    writing.write(FILES, Path())
    assert only_files(Path.cwd()) == FILES
    assert (tmp_path.stat().st_ino, Path.cwd()) == (before, tmp_path.resolve())


@pytest.mark.skipif(os.name != "posix", reason="bits of POSIX")
def test_write_uses_default_permissions(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    writing.write(FILES, tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("taken", ["README.md", "something else", ".git/config"])
def test_write_to_nonempty_folder_changes_nothing(tmp_path: Path, taken: str) -> None:
    mine = tmp_path / "new" / taken
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    before = tree(tmp_path)
    with pytest.raises(TargetNotEmptyError) as caught:
        writing.write(FILES, tmp_path / "new")
    assert isinstance(caught.value, ModelMeshError)
    assert isinstance(caught.value, FileExistsError)
    assert str(tmp_path / "new") in str(caught.value)
    assert "is not empty" in str(caught.value)
    assert "--path" in str(caught.value)
    assert tree(tmp_path) == before


def test_write_does_not_replace_a_file(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("mine")
    with pytest.raises(TargetNotEmptyError, match="is a file"):
        writing.write(FILES, tmp_path / "new")
    assert tree(tmp_path) == {"new": "mine"}


def test_write_below_a_file_raises(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ScaffoldError, match="could not be written"):
        writing.write(FILES, tmp_path / "file" / "new")
    assert tree(tmp_path) == {"file": "mine"}


@pytest.mark.parametrize("exists", [False, True], ids=["new", "empty"])
@given(broken=st.integers(0, len(FILES) - 1))
def test_write_on_disk_error_leaves_nothing(tmp_path_factory: pytest.TempPathFactory, exists: bool, broken: int) -> None:
    scratch = tmp_path_factory.mktemp("disk")
    target = scratch / "deep" / "new"
    if exists:
        target.mkdir(parents=True)
    before, left, real = tree(scratch), broken, Path.write_text

    def full(self: Path, *arguments: object, **named: object) -> int:
        nonlocal left
        if left == 0:
            raise OSError(28, "No space left on device")
        left -= 1
        return real(self, *arguments, **named)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(ScaffoldError, match="No space left"):
            writing.write(FILES, target)
    assert tree(scratch) == before


@pytest.mark.parametrize("broken", range(3))
def test_write_interrupted_move_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: int) -> None:
    target = tmp_path / "new"
    target.mkdir()
    left, real = broken, Path.rename

    def stuck(self: Path, aim: Path) -> Path:
        nonlocal left
        if left == 0:
            raise PermissionError(13, "Permission denied")
        left -= 1
        return real(self, aim)

    monkeypatch.setattr(Path, "rename", stuck)
    with pytest.raises(ScaffoldError, match="Permission denied"):
        writing.write(FILES, target)
    assert tree(tmp_path) == {"new": "/"}

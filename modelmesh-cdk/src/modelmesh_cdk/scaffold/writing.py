"""Writing of a package: all files or none."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from modelmesh_cdk.scaffold.errors import ScaffoldError, TargetNotEmptyError


def write(files: Mapping[str, str], target: Path) -> None:
    """Write files into a folder that does not exist or is empty.

    The files are written to a temporary folder next to the target, which is then renamed. Other processes see all files or
    none, and a full disk leaves nothing behind.

    Args:
        files: Text by relative path.
        target: The folder. Missing parent folders are created.

    Raises:
        TargetNotEmptyError: The target is not empty.
        ScaffoldError: The operating system reported an error.
    """
    target = target.resolve()
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise _occupied(target)
        with _staging_folder(target) as staging:
            _fill(files, staging)
            _move(staging, target)
    except OSError as error:
        if isinstance(error, TargetNotEmptyError):
            raise
        reason = error.strerror or str(error)
        message = f"{target} could not be written: {reason}. Nothing was left there. Choose another folder: --path FOLDER"
        raise ScaffoldError(message) from error


def _occupied(target: Path) -> TargetNotEmptyError:
    what = "is not empty" if target.is_dir() else "is a file"
    look = f"ls -A {shlex.quote(str(target))}"
    message = f"{target} {what}, and no file is ever overwritten. Look: {look}, or choose another folder: --path FOLDER"
    return TargetNotEmptyError(message)


@contextmanager
def _staging_folder(target: Path) -> Iterator[Path]:
    """Create a temporary folder on the target's disk, with the path of the target below its lowest existing parent."""
    top = target
    while not top.parent.exists():
        top = top.parent
    scratch = Path(tempfile.mkdtemp(prefix=".modelmesh-new-", dir=top.parent))
    try:
        staging = scratch / target.relative_to(top.parent)
        staging.mkdir(parents=True)
        yield staging
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _fill(files: Mapping[str, str], folder: Path) -> None:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8", newline="\n")


def _move(staging: Path, target: Path) -> None:
    if target.exists():
        _move_into(staging, target)
        return
    while not target.parent.exists():
        staging, target = staging.parent, target.parent
    staging.rename(target)


def _move_into(staging: Path, target: Path) -> None:
    """Fill an existing folder. The folder is kept, because it may be the current directory of a shell."""
    moved: list[Path] = []
    try:
        for entry in sorted(staging.iterdir()):
            aim = target / entry.name
            if aim.exists():
                raise _occupied(target)
            entry.rename(aim)
            moved.append(aim)
    except OSError:
        for aim in moved:
            shutil.rmtree(aim) if aim.is_dir() else aim.unlink()
        raise

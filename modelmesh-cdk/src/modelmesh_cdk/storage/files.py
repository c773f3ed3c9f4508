"""Files that are whole or not there, and that processes take turns at."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

_LOCKS: dict[str, Lock] = {}
_MAKING = Lock()


def write_atomically(path: Path | str, data: bytes, *, mode: int = 0o600, previous: Path | str | None = None) -> None:
    """Put bytes in place of a file's, so that a reader or a crash sees the old ones or the new ones, never a part.

    They go to a temporary file in the same folder, to the disk, and then under the name; the folder goes to the disk
    last, or the new name might not outlive a power cut.

    Args:
        path: The file; its folder must exist.
        data: What is to be in it.
        mode: Permissions; by default nobody else may read it.
        previous: Where to keep what the file held before, in the same folder; in place of what is there.

    Raises:
        OSError: The disk is full, the folder is not there or not ours. The file is as it was.
    """
    path = Path(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        if previous is not None:
            _keep(path, Path(previous))
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    _sync_folder(path.parent)


def _keep(path: Path, previous: Path) -> None:
    """Give what a file holds a second name, in one step too, so that at every moment one of the two is there."""
    link = path.with_name(f".{path.name[:40]}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        try:
            os.link(path, link)
        except FileNotFoundError:
            raise
        except OSError:  # a file system without links
            shutil.copy2(path, link)
        link.replace(previous)
    except FileNotFoundError:  # it held nothing
        return
    finally:
        link.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # there is no handle of a folder to sync
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some file systems cannot; the data itself is on the disk
            os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def alone_at(path: Path | str) -> Iterator[None]:
    """Keep other threads and processes out of a block that names the same lock file; for moments, not for work.

    The system lets go of the lock when the process dies. It holds on one machine; network file systems promise nothing.

    Raises:
        OSError: The lock file cannot be made.
    """
    name = os.path.realpath(path)
    with _MAKING:
        lock = _LOCKS.setdefault(name, Lock())
    with lock:
        handle = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _wait_for(handle)
            try:
                yield
            finally:
                _let_go(handle)  # closing is not enough: a forked child has the file open too
        finally:
            os.close(handle)


if os.name == "nt":

    def _wait_for(handle: int) -> None:
        import msvcrt  # noqa: PLC0415 - there is none elsewhere

        while True:
            try:
                msvcrt.locking(handle, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined, unused-ignore]
            except OSError as error:
                if error.errno != 36:  # noqa: PLR2004 - EDEADLOCK: ten tries of a second each were not enough
                    raise
            else:
                return

    def _let_go(handle: int) -> None:
        import msvcrt  # noqa: PLC0415 - there is none elsewhere

        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined, unused-ignore]

else:
    import fcntl

    def _wait_for(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX)

    def _let_go(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)


def _after_fork() -> None:
    global _MAKING  # noqa: PLW0603 - a lock that a thread of the parent held stays held for ever
    _MAKING = Lock()
    _LOCKS.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

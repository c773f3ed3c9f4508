"""Who holds a lock: enough of a process to tell later, on the same machine, that it is gone."""

from __future__ import annotations

import contextlib
import os
import platform
from functools import cache
from pathlib import Path


def this_process() -> str:
    """Return text that names this process and no other: its number, when it started, and the machine."""
    pid = os.getpid()
    return f"{pid} {_started(pid)} {_machine()}"


def is_gone(holder: str) -> bool:
    """Whether the process that :func:`this_process` named has ended; ``False`` also when that cannot be known here.

    It can on a POSIX system whose processes this one sees: the same machine, the same boot, the same container.
    """
    number, _, rest = holder.partition(" ")
    started, _, machine = rest.partition(" ")
    if os.name == "nt" or not number.isdecimal() or machine != _machine():  # there, asking after a process may end it
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # it is there, and another user's
        return False
    return started != _started(int(number))  # the number may be somebody else's by now


def _started(pid: int) -> str:
    """Return when a process started, in the system's own count; ``-`` where that is not known, nothing of one that ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return "-"
    return "" if fields[0] in "ZX" else fields[19]  # proc_pid_stat(5), man-pages 6.15: state is field 3, starttime field 22


@cache
def _machine() -> str:
    known = [platform.node()]
    with contextlib.suppress(OSError):
        known.append(Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip())
    with contextlib.suppress(OSError):
        known.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(known)

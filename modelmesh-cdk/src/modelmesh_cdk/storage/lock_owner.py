"""Identity of the process that owns a lock, for the detection of stale locks.

``psutil`` does not serve here: its ``Process.create_time()`` follows changes of the system clock (psutil 7.2.2, read
2026-11-30), so a clock that is set back would make a live owner look like a process that has ended.
"""

from __future__ import annotations

import contextlib
import os
import platform
from functools import cache
from pathlib import Path


def current_owner() -> str:
    """Return a text that identifies this process: its number, its start time and its machine."""
    pid = os.getpid()
    return f"{pid} {_start_time(pid)} {_machine()}"


def has_exited(owner: str) -> bool:
    """Return whether the process that :func:`current_owner` described has ended.

    The answer is known on a POSIX system for a process of the same machine, boot and container. It is ``False`` where it
    is not known.
    """
    number, _, rest = owner.partition(" ")
    started, _, machine = rest.partition(" ")
    if os.name == "nt" or not number.isdecimal() or machine != _machine():  # on Windows, os.kill(pid, 0) ends the process
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # the process exists and belongs to another user
        return False
    return started != _start_time(int(number))  # another process may have taken the number


def _start_time(pid: int) -> str:
    """Return the start time of a process in clock ticks since boot: ``-`` if unknown, empty for a process that has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return "-"
    return "" if fields[0] in "ZX" else fields[19]  # proc_pid_stat(5), man-pages 6.15: state is field 3, starttime field 22


@cache
def _machine() -> str:
    parts = [platform.node()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip())
    with contextlib.suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)

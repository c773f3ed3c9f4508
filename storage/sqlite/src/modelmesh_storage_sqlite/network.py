"""Detection of network file systems, on which SQLite loses data.

``psutil.disk_partitions()`` would serve too. The package has no dependency outside the standard library, and a compiled one
for a single check at the start is not worth it.
"""

from __future__ import annotations

import os
from pathlib import Path

_OF_KERNEL = {"9p", "afs", "beegfs", "ceph", "cifs", "coda", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "orangefs"}
_OF_WINDOWS = {"smb2", "smb3", "smbfs"}
_IN_USER_SPACE = {"davfs", "fuse.ceph", "fuse.gcsfuse", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"}
NETWORK = frozenset(_OF_KERNEL | _OF_WINDOWS | _IN_USER_SPACE)
"""File systems that several machines share. SQLite's WAL mode needs shared memory (sqlite.org/wal.html, read 2026-11-21)."""

MOUNTS = Path("/proc/self/mountinfo")


def network_filesystem(path: Path, mounts: str | None = None) -> str | None:
    """Return the type of the network file system of a path, ``None`` for a local or an unknown file system.

    Args:
        path: Absolute path without symbolic links.
        mounts: Content of ``/proc/self/mountinfo``, which is read by default.
    """
    if str(path).startswith("\\\\"):
        return "a network share"
    if mounts is None:
        try:
            mounts = MOUNTS.read_text("utf-8", "surrogateescape")
        except OSError:  # not Linux
            return None
    found, kind = "", ""
    for line in mounts.splitlines():
        before, dash, after = line.partition(" - ")
        fields = before.split()
        if not dash or len(fields) < 5:  # noqa: PLR2004 - the fifth field is the mount point: proc_pid_mountinfo(5)
            continue
        point = fields[4].encode("utf-8", "surrogateescape").decode("unicode_escape", "replace")  # a space is \040
        if len(point) >= len(found) and os.path.commonpath([point, path]) == point:
            found, kind = point, after.split(" ")[0]
    return kind if kind in NETWORK else None

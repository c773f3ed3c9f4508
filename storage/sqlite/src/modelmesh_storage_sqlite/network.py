"""Which file system a folder is on, as far as the system tells."""

from __future__ import annotations

import os
from pathlib import Path

_OF_KERNEL = {"9p", "afs", "beegfs", "ceph", "cifs", "coda", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "orangefs"}
_OF_WINDOWS = {"smb2", "smb3", "smbfs"}
_IN_USER_SPACE = {"davfs", "fuse.ceph", "fuse.gcsfuse", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"}
NETWORK = frozenset(_OF_KERNEL | _OF_WINDOWS | _IN_USER_SPACE)
"""File systems whose machines share no memory: there SQLite's WAL mode loses data (sqlite.org/wal.html, read 2026-11-21)."""

MOUNTS = Path("/proc/self/mountinfo")


def network_filesystem(path: Path, mounts: str | None = None) -> str | None:
    """Return the kind of network file system that a path is on; ``None`` when it is on none or that cannot be known.

    Args:
        path: Absolute, without links.
        mounts: What Linux says of its mounts; read when it is not given.
    """
    if str(path).startswith("\\\\"):
        return "a network share"
    if mounts is None:
        try:
            mounts = MOUNTS.read_text("utf-8", "surrogateescape")
        except OSError:  # no Linux
            return None
    found, kind = "", ""
    for line in mounts.splitlines():
        before, dash, after = line.partition(" - ")
        fields = before.split()
        if not dash or len(fields) < 5:  # noqa: PLR2004 - the fifth is where it is mounted: proc_pid_mountinfo(5)
            continue
        point = fields[4].encode("utf-8", "surrogateescape").decode("unicode_escape", "replace")  # a blank is \040
        if len(point) >= len(found) and os.path.commonpath([point, path]) == point:
            found, kind = point, after.split(" ")[0]
    return kind if kind in NETWORK else None

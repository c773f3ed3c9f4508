"""Exchange of values between the workers of one machine: a file for each worker, which it replaces about once a second.

A worker that is started again continues the counters of the file, so that a counter never falls. A worker that was killed loses
what it counted since its last file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelmesh_proxy.metrics.series import Snapshot


class WorkerFiles:
    """Files of all workers in one folder."""

    def __init__(self, folder: Path, worker: int) -> None:
        """Initialize the files.

        Args:
            folder: Folder that all workers of one supervisor share. Only they may write to it.
            worker: Number of this worker. A worker that replaces another one has its number.
        """
        self._folder, self._own = folder, folder / f"metrics-{worker}.json"

    def earlier(self) -> Mapping[str, Any]:
        """Return the last values of the earlier worker with this number, empty without any."""
        return _read(self._own)

    def write(self, snapshot: Snapshot) -> None:
        """Replace the values of this worker."""
        text = json.dumps(snapshot, separators=(",", ":"))
        draft = self._own.with_suffix(".new")
        draft.write_text(text, encoding="utf-8")
        draft.replace(self._own)

    def others(self) -> list[Mapping[str, Any]]:
        """Return the last values of the other workers."""
        return [_read(path) for path in sorted(self._folder.glob("metrics-*.json")) if path != self._own]


def _read(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not written yet
        return {}
    return found if isinstance(found, dict) else {}

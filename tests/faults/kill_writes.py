"""Repeated kills of a process that writes its state, with a check of the remaining state.

Usage: python tests/faults/kill_writes.py [--times 200] [--store local-file|folder|sqlite] [--seed 1]

A child saves numbered snapshots, adds to a counter, and acknowledges each write. Its parent kills it at a random moment. Then
the snapshot is the last acknowledged one or the next one, and complete. The counter is at least the acknowledged value. The
lock of the child is available immediately.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from modelmesh_storage_local_file import LocalFileStorage
from modelmesh_storage_sqlite import SqliteStorage

from modelmesh._engine.state import SystemState
from modelmesh.contracts.storage import StorageEntry

KEY = "modelmesh/state"
LONGEST_S = 0.05
STORES = {
    "local-file": lambda folder: LocalFileStorage({"path": folder / "mesh-state.json"}),
    "folder": lambda folder: LocalFileStorage({"path": folder / "state"}),
    "sqlite": lambda folder: SqliteStorage({"path": folder / "mesh-state.db"}),
}


def image(number: int) -> bytes:
    meters = {f"model:m/{n}:requests:day": {"used": number, "ends": None} for n in range(100)}
    return SystemState(float(number), meters=meters).to_bytes()


def number_of(data: bytes) -> int:
    """Return the number of a snapshot after a check of its contents."""
    number = int(SystemState.from_bytes(data).timestamp)
    assert data == image(number), "the image is torn"
    return number


def write(store: Any, say: int) -> None:
    found = store.load(KEY)
    number = number_of(found.data) if found else 0
    os.write(say, b"begun\n")
    while True:
        number += 1
        lock = store.acquire(KEY, 0)
        store.save(KEY, StorageEntry(KEY, image(number)))
        os.write(say, f"image {number}\n".encode())
        store.release(lock)
        os.write(say, f"count {store.increment('count')}\n".encode())


def kill_one(store: str, folder: Path, rng: random.Random) -> dict[str, int]:
    """Start a writer, kill it, and return its acknowledgements."""
    hear, say = os.pipe()
    child = os.fork()
    if not child:
        os.close(hear)
        try:
            write(STORES[store](folder), say)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(say)
    with os.fdopen(hear, "rb") as heard:
        heard.readline()
        time.sleep(rng.uniform(0, LONGEST_S))
        os.kill(child, signal.SIGKILL)
        rest = heard.read().splitlines()
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the writer ended by itself"
    return {word.decode(): int(value) for word, value in (line.split() for line in rest)}


def run(store: str, times: int, seed: int) -> Counter[str]:
    """Repeat the kill, and return how often the snapshot was the acknowledged one, and how often the next one."""
    rng, found = random.Random(seed), Counter[str]()
    acknowledged = {"image": 0, "count": 0}
    with tempfile.TemporaryDirectory(prefix="modelmesh-kills-") as name:
        folder = Path(name)
        for turn in range(times):
            acknowledged |= kill_one(store, folder, rng)
            after = STORES[store](folder)
            entry = after.load(KEY)
            number, count = number_of(entry.data) if entry else 0, after.increment("count", 0)
            for what, value in (("image", number), ("count", count)):
                told = acknowledged[what]
                assert told <= value <= told + 1, f"kill {turn} of {store}: {what} {value}, and {told} was acknowledged"
                found[f"{what} {'acknowledged' if value == told else 'one further'}"] += 1
            assert after.release(after.acquire(KEY, 0)), f"kill {turn}: the lock of the dead holds"
            with contextlib.suppress(AttributeError):
                after.close()
            acknowledged = {"image": number, "count": count}
        damaged = [file.name for file in folder.rglob("*") if "corrupt" in file.name]
        assert not damaged, damaged
        found["images written"] = number
        left = [file.name for file in folder.rglob("*.tmp")]
        assert len(left) <= 1, f"temporary files pile up: {left}"
    return found


def main() -> None:
    """Run the kills and print the results."""
    options = argparse.ArgumentParser(description="kill -9 during writes of state")
    options.add_argument("--times", type=int, default=200)
    options.add_argument("--store", choices=sorted(STORES), action="append")
    options.add_argument("--seed", type=int, default=0, help="of the moments of the kills (default: 0)")
    given = options.parse_args()
    for store in given.store or sorted(STORES):
        print(f"{store}: seed {given.seed}", end=" ", flush=True)
        found = run(store, given.times, given.seed)
        facts = ", ".join(f"{what}: {often}" for what, often in sorted(found.items()))
        print(f"{given.times} of {given.times} restarts found the old or the new image ({facts})", flush=True)


if __name__ == "__main__":
    sys.exit(main())

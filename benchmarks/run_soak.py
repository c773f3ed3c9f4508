"""Send many requests of all kinds to the proxy and print its resident memory: ``python benchmarks/run_soak.py [REQUESTS]``.

A tenth are streams, some of which the caller leaves early or the vendor breaks off, and a tenth are refusals. The memory after
the first fifth of the requests is the base. The exit code is 1 if it grows by more than 5 MiB.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from machine import allow_many_connections
from proxy.contenders import MESH, PROGRAMS
from proxy.measuring import Running, cores
from proxy.processes import Loader, resident_mib, vendor

MAX_GROWTH_MIB = 5.0
PARTS = (
    ("plain", 0.8, 32, None),
    ("failing", 0.1, 32, None),
    ("burst", 0.04, 8, None),
    ("burst", 0.03, 8, 20_000),
    ("broken", 0.03, 8, None),
)
"""Kind, share, connections, and bytes after which the caller leaves."""


def main() -> int:
    """Run the soak and return the exit code."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    rounds = 20
    allow_many_connections()
    own, others = cores()
    sizes, answered = [], 0
    with vendor(others) as port, TemporaryDirectory() as folder:
        load = Loader(others)
        running = Running(MESH, PROGRAMS["mesh"], Path(folder), port, own)
        try:
            running.wait_until_ready(load)
            for place in range(rounds):
                for kind, share, connections, leave in PARTS:
                    count = max(1, round(requests / rounds * share))
                    answered += running.send(load, connections, count, kind, leave_after=leave)["answered"]
                sizes.append(resident_mib(running.process.pid))
                print(f"{(place + 1) * requests // rounds:8,} requests: {sizes[-1]:.1f} MiB", flush=True)
        finally:
            running.close()
            load.close()
    growth = max(sizes[rounds // 5 :]) - sizes[rounds // 5 - 1]
    print(f"{answered:,} requests were answered completely, the others were left, broken off or refused")
    print(f"growth after the first fifth: {growth:.1f} MiB (at most {MAX_GROWTH_MIB:g})")
    return int(growth > MAX_GROWTH_MIB)


if __name__ == "__main__":
    sys.exit(main())

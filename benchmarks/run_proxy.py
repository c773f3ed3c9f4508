"""Measure the proxy against other gateways on this machine, one core for each gateway, the same vendor and load for all.

Examples:
  python benchmarks/run_proxy.py                              the proxy alone, against the vendor itself
  python benchmarks/run_proxy.py --smg VENV/bin/smg --ferrogw VENV/bin/ferrogw
  python benchmarks/run_proxy.py --portkey node_modules/@portkey-ai/gateway/build/start-server.js --litellm VENV/bin/litellm
  python benchmarks/run_proxy.py --json benchmarks/results/proxy/2026-11-30.json

The exit code is 0 unless the command fails. Missed goals do not change it.
"""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import results
from machine import allow_many_connections, facts
from proxy.contenders import MESH, PEERS, PROGRAMS, Contender, version_of
from proxy.measuring import FULL, QUICK, Running, Turn, cores
from proxy.processes import Loader, vendor
from proxy.rows import rows
from rounds import Measured
from row import Result, result
from table import HEADINGS, cells, facts_line, show

OWN = ("modelmesh-core", "modelmesh-cdk", "modelmesh-proxy", "uvicorn", "uvloop", "httptools", "msgspec")


def measure(contenders: dict[str, Contender], programs: dict[str, str], turn: Turn, count: int) -> Measured:
    """Measure all gateways in turn, in every round in another order."""
    own, others = cores()
    measured = Measured([], {})
    with vendor(others) as port, TemporaryDirectory() as folder:
        load, running = Loader(others), {}
        try:
            for name, contender in contenders.items():
                try:
                    running[name] = Running(contender, programs[name], Path(folder), port, own)
                    running[name].wait_until_ready(load)
                except RuntimeError as error:
                    measured.missing[name] = str(error)
                    if name in running:
                        running.pop(name).close()
            names = list(running)
            for name in names:
                running[name].turn(load, QUICK)
            for place in range(count):
                found: dict[str, Any] = {"vendor": {"first": _first_of_vendor(load, port, turn)}}
                for name in names[place % len(names) :] + names[: place % len(names)]:
                    found[name] = running[name].turn(load, turn)
                    print(f"round {place + 1} of {count}: {name} {_text(found[name])}", file=sys.stderr, flush=True)
                measured.rounds.append(found)
        finally:
            for one in running.values():
                one.close()
            load.close()
    return measured


def _first_of_vendor(load: Loader, port: int, turn: Turn) -> float:
    body = {"model": "gpt-test", "stream": True, "messages": [{"role": "user", "content": "short"}]}
    order = {"port": port, "path": "/v1/chat/completions", "headers": {}, "body": body, "connections": 1}
    return float(load.send(**order, requests=turn.first)["first_ms"]) / 1000


def _text(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {value if name == 'memory' else value * 1e6:.1f}" for name, value in figures.items())


def main() -> None:
    """Read the arguments, measure, and print."""
    head, _, examples = (__doc__ or "").partition("\n\n")
    command = argparse.ArgumentParser(description=head, epilog=examples, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in PEERS:
        command.add_argument(f"--{name}", metavar="PROGRAM", help=f"program of {name}")
    command.add_argument("--quick", action="store_true", help="one short round, to see that it runs. The figures mean nothing")
    command.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds (default 5)")
    command.add_argument("--json", type=Path, metavar="FILE", help="write the results to this file")
    arguments = command.parse_args()
    given = {name: getattr(arguments, name) for name in PEERS if getattr(arguments, name)}
    allow_many_connections()
    machine = facts(None)
    machine["versions"] = {name: version(name) for name in OWN} | {name: version_of(name, path) for name, path in given.items()}
    count, turn = (1, QUICK) if arguments.quick else (arguments.rounds, FULL)
    programs = {**PROGRAMS, **{name: str(Path(path).absolute()) for name, path in given.items()}}
    measured = measure({"mesh": MESH, **{name: PEERS[name] for name in given}}, programs, turn, count)
    for name in PEERS:
        if name not in given:
            measured.missing[name] = f"--{name} is not given"
    found: list[Result] = [result(row, "proxy", measured) for row in rows()]
    show(HEADINGS, [cells(one) for one in found])
    print(facts_line(machine))
    if arguments.json is not None:
        results.write(arguments.json, {"quick": arguments.quick, "rounds": count, **machine}, found)


if __name__ == "__main__":
    main()

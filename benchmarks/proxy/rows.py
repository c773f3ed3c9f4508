"""The rows of the table, with their goals."""

from __future__ import annotations

from comparisons import alone
from row import MIB, MILLISECONDS, RATIO, Comparison, Row

from proxy.contenders import PEERS

PLAIN_GOALS = {"smg": 0.8, "ferrogw": 1.1, "portkey": 5.0, "litellm": 40.0}


def _requests(peer: str, figure: str) -> Comparison:
    """Return how many requests or chunks the mesh serves with the CPU time of one of a peer."""
    return Comparison(("mesh", peer), lambda found: found[peer][figure] / found["mesh"][figure], RATIO, more_is_better=True)


def _cost(peer: str, figure: str) -> Comparison:
    """Return the CPU time of the mesh, divided by that of a peer."""
    return Comparison(("mesh", peer), lambda found: found["mesh"][figure] / found[peer][figure])


def _first(peer: str) -> Comparison:
    """Return the time that the mesh adds to the first byte, divided by that of a peer."""

    def value(found: dict[str, dict[str, float]]) -> float:
        direct = found["vendor"]["first"]
        return (found["mesh"]["first"] - direct) / (found[peer]["first"] - direct)

    return Comparison(("mesh", peer), value)


def rows() -> list[Row]:
    """Return all rows."""
    found = [
        Row("proxy_plain", "plain request, 32 connections", alone("mesh", figure="plain")),
        Row("proxy_unmerged", "chunk of a stream, each chunk alone", alone("mesh", figure="unmerged")),
        Row("proxy_burst", "chunk of a stream in a burst", alone("mesh", figure="burst")),
        Row(
            "proxy_many",
            "plain request: 32 connections / 128 connections",
            Comparison(("mesh",), lambda one: one["mesh"]["plain"] / one["mesh"]["many"], RATIO, more_is_better=True),
            0.85,
        ),
        Row("proxy_memory", "proportional memory under load", alone("mesh", MIB, "memory"), 70),
        Row("proxy_start", "time until connections are accepted", alone("mesh", MILLISECONDS, "start"), 1000),
    ]
    for peer, contender in PEERS.items():
        found.append(
            Row(f"proxy_plain_{peer}", f"plain requests for the CPU of {peer}", _requests(peer, "plain"), PLAIN_GOALS[peer])
        )
        if not contender.streams:
            continue
        goal = 1.5 if peer == "smg" else None
        found.append(Row(f"proxy_unmerged_{peer}", f"chunk alone: mesh / {peer}", _cost(peer, "unmerged"), goal))
        found.append(Row(f"proxy_burst_{peer}", f"chunk in a burst: mesh / {peer}", _cost(peer, "burst"), goal))
        found.append(Row(f"proxy_first_{peer}", f"time added to the first byte: mesh / {peer}", _first(peer), goal))
    return found

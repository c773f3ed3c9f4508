"""The kinds of comparisons: ratios, rates, additions, and figures of one subject."""

from __future__ import annotations

from row import MICROSECONDS, MILLISECONDS, Comparison

PER_SECOND = {MICROSECONDS: 1e6, MILLISECONDS: 1e3}


def ratio(subject: str, peer: str, figure: str = "cpu", peer_figure: str | None = None) -> Comparison:
    """Return a figure of a subject, divided by that of a peer."""
    return Comparison((subject, peer), lambda found: found[subject][figure] / found[peer][peer_figure or figure])


def throughput(subject: str, peer: str) -> Comparison:
    """Return how many times the peer's units a subject completes in a second."""
    return Comparison((subject, peer), lambda found: found[peer]["wall"] / found[subject]["wall"], more_is_better=True)


def extra(subject: str, base: str) -> Comparison:
    """Return the CPU time of a subject beyond that of a base, in units of the base."""
    return Comparison((subject, base), lambda found: (found[subject]["cpu"] - found[base]["cpu"]) / found[base]["cpu"])


def added(subject: str, base: str, figure: str = "cpu", unit: str = MICROSECONDS) -> Comparison:
    """Return the time of a subject beyond that of a base."""
    scale = PER_SECOND[unit]
    return Comparison((subject, base), lambda found: (found[subject][figure] - found[base][figure]) * scale, unit)


def alone(subject: str, unit: str = MICROSECONDS, figure: str = "cpu") -> Comparison:
    """Return a figure of one subject: a time, or one that it measured in this unit."""
    scale = PER_SECOND.get(unit, 1)
    return Comparison((subject,), lambda found: found[subject][figure] * scale, unit)

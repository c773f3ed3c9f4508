"""Interleaved rounds: each subject is measured once in a round, and each round starts with another one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workers import Environment, MissingError, Workers

Figures = dict[str, float]
"""Figures of one unit of work: ``cpu``, ``thread`` and ``wall`` in seconds, or those that the subject measured itself."""

Round = dict[str, Figures]
"""Figures by subject."""


@dataclass(frozen=True)
class Effort:
    """The amount of work.

    Attributes:
        rounds: Rounds of each group.
        turn: CPU seconds that a subject has in a round.
    """

    rounds: int
    turn: float


FULL = Effort(rounds=9, turn=0.2)
QUICK = Effort(rounds=1, turn=0.02)


@dataclass(frozen=True)
class Measured:
    """The rounds of a group.

    Attributes:
        rounds: Figures by round and subject.
        missing: Reason by subject that could not be measured.
    """

    rounds: list[Round]
    missing: dict[str, str]


def measure(
    subjects: Sequence[str], environment: Environment, effort: Effort, *, fresh: bool, progress: Callable[[str], None]
) -> Measured:
    """Measure subjects in turn, so that a drift of the machine affects all.

    Args:
        subjects: Names of the subjects.
        environment: Facts of the run.
        effort: The amount of work.
        fresh: Start new processes in each round. The first round compiles the files and does not count.
        progress: Receives a message before each round.
    """
    if fresh:
        return _fresh_rounds(subjects, environment, effort, progress)
    with Workers(environment) as workers:
        progress("warm-up")
        times, missing = _prepared(subjects, workers, effort.turn)
        rounds = []
        for turn in range(effort.rounds if times else 0):
            progress(f"round {turn + 1} of {effort.rounds}")
            rounds.append({name: workers.run(name, times[name]) for name in _rotated(list(times), turn)})
    return Measured(rounds, missing)


def _fresh_rounds(subjects: Sequence[str], environment: Environment, effort: Effort, progress: Callable[[str], None]) -> Measured:
    rounds, missing, present = [], dict[str, str](), list(subjects)
    for turn in range(effort.rounds + 1):
        progress(f"round {turn} of {effort.rounds}" if turn else "warm-up")
        found: Round = {}
        for name in _rotated(present, turn):
            with Workers(environment) as workers:
                times, absent = _prepared([name], workers, effort.turn)
                missing |= absent
                if times:
                    found[name] = workers.run(name, times[name])
        present = [name for name in present if name not in missing]
        if turn:
            rounds.append(found)
    return Measured(rounds, missing)


def _prepared(subjects: Sequence[str], workers: Workers, turn: float) -> tuple[dict[str, int], dict[str, str]]:
    times, missing = {}, {}
    for name in subjects:
        try:
            times[name] = workers.prepare(name, turn)
        except MissingError as error:
            missing[name] = str(error)
    return times, missing


def _rotated(names: list[str], turn: int) -> list[str]:
    start = turn % len(names) if names else 0
    return names[start:] + names[:start]

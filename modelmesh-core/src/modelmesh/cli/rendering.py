"""Tables of attempts, candidates and health, used by several commands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from modelmesh._engine.foundation.attempts import AttemptOutcome
from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.foundation.wording import label
from modelmesh._engine.routing.explain import NOT_FIRST
from modelmesh.cli.terminal import clean

if TYPE_CHECKING:
    from rich.console import Console

    from modelmesh._engine.foundation.attempts import Attempt
    from modelmesh._engine.routing.explain import CandidateInfo, Explanation
    from modelmesh._engine.routing.pool import Pool

_F = FailureClass
IN_WORDS = {
    _F.CONNECT: "could not be reached",
    _F.DISCONNECT: "broke off before answering",
    _F.TIMEOUT: "took too long",
    _F.CALLER: "was not sent the request: it is invalid",
    _F.REFUSED: "refused the request",
    _F.CAPABILITY: "cannot do this request",
    _F.POLICY: "refused by its content policy",
    _F.CREDENTIAL: "refused the key",
    _F.PERMISSION: "refused the account",
    _F.QUOTA: "says the account is used up",
    _F.MODEL_QUOTA: "says the model is used up",
    _F.NOT_FOUND: "does not know the model",
    _F.TRANSIENT: "refused for the moment",
    _F.THROTTLE: "had too many requests",
    _F.SERVER: "failed inside",
    _F.MISCONFIGURED: "redirected elsewhere",
    _F.PROTOCOL: "sent a broken answer",
    _F.CANCELLED: "was cancelled",
    _F.CONNECTOR_BUG_UNSENT: "has a connector that could not write the request",
    _F.CONNECTOR_BUG: "has a connector that made a mistake",
}
"""What a provider did, by class of failure; the long form is :data:`modelmesh._engine.foundation.failure_rules.RULES`."""

NOTHING = "-"
GAP = 2
"""Between two columns."""
LEAST_REASON = 30
"""Columns that a reason needs to be read; with less, a table becomes lines."""
LEAST = 6
"""Columns of text narrower than this cannot be read."""
_COLOURS = {"active": "green", "answered": "green", "loaded": "green", "standby": "yellow", "failed": "red", "duplicate": "red"}


def table(
    console: Console,
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
) -> Table:
    """Make a table: folded to the width of a terminal, plain elsewhere.

    Args:
        console: Where it will be printed.
        headings: One for each column.
        rows: Cells; their text is shown as it is, but for control characters.
        right: Headings of the columns that hold numbers.
        whole: Headings of the columns that are not folded, so that what stands there can be copied.
    """
    lines = [tuple(one_line(cell) for cell in row) for row in rows]
    if not _fits(console.width, headings, lines, whole):
        whole = ()
    terminal = console.is_terminal
    frame = box.SIMPLE_HEAD if terminal else None
    made = Table(box=frame, show_edge=False, pad_edge=False, collapse_padding=terminal, header_style="bold")
    for heading in headings:
        side = "right" if heading in right else "left"
        made.add_column(heading, justify=side, overflow="fold", no_wrap=heading in whole)  # type: ignore[arg-type]
    for row in lines:
        made.add_row(*(Text(line, style=_COLOURS.get(line.partition(":")[0], "")) for line in row))
    return made


def widths(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """Return how wide each column is when nothing is folded."""
    return [max(len(heading), *(len(row[place]) for row in rows), 0) for place, heading in enumerate(headings)]


def _fits(width: int, headings: Sequence[str], rows: Sequence[Sequence[str]], whole: Sequence[str]) -> bool:
    """Whether columns that are not folded leave the others some room; else those would not be shown at all."""
    taken = (
        min(LEAST, wide) if heading not in whole else wide for heading, wide in zip(headings, widths(headings, rows), strict=True)
    )
    return sum(taken) + GAP * (len(headings) - 1) <= width


def show(console: Console, shown: Table) -> None:
    """Print a table; what is no terminal gets no spaces at the ends of lines."""
    if console.is_terminal:
        console.print(shown)
        return
    with console.capture() as captured:
        console.print(shown)
    for line in captured.get().splitlines():
        console.file.write(f"{line.rstrip()}\n")


def one_line(text: str) -> str:
    """Return a text on one line, without control characters."""
    return clean(" ".join(text.split()))


def attempts_table(console: Console, attempts: Sequence[Attempt]) -> Table:
    """What every attempt came to, and what the mesh did next."""
    rows = [
        (
            str(attempt.number),
            attempt.provider_id,
            attempt.model_id,
            happened(attempt),
            NOTHING if attempt.status is None else str(attempt.status),
            NOTHING if attempt.ms is None else f"{attempt.ms:.0f}",
            _next_step(attempts, place),
        )
        for place, attempt in enumerate(attempts)
    ]
    headings = ("#", "provider", "model", "what happened", "status", "ms", "then the mesh")
    return table(console, headings, rows, right=("#", "status", "ms"), whole=("provider", "model"))


def happened(attempt: Attempt) -> str:
    """Return what became of an attempt, in a few words."""
    if attempt.failure is None:
        return attempt.outcome
    return label(attempt.failure)


def in_words(failure: str) -> str:
    """Return what a class of failure means, said of the provider."""
    return IN_WORDS[FailureClass(failure)]


def _next_step(attempts: Sequence[Attempt], place: int) -> str:
    attempt = attempts[place]
    if place + 1 == len(attempts):
        return "handed over the answer" if attempt.outcome in (AttemptOutcome.ANSWERED, AttemptOutcome.STREAMING) else "gave up"
    following = attempts[place + 1]
    waited = f"waited {following.waited_ms / 1000:.1f} s, " if following.waited_ms else ""
    if (following.provider_id, following.model_id) == (attempt.provider_id, attempt.model_id):
        return f"{waited}asked it again"
    return f"{waited}went on to {following.provider_id}"


def show_candidates(console: Console, explanation: Explanation, *, details: bool = True) -> None:
    """Print every member of a pool, the one that a request would go to marked.

    A narrow terminal gets no columns of connectors and scores; one that is too narrow for a table gets lines.

    Args:
        console: Where to.
        explanation: What to show.
        details: Whether to show connectors and scores, where there is room.
    """
    has_scores = details and any(row.score is not None for row in explanation.candidates)
    for with_connectors, scored in ((details, has_scores), (False, has_scores), (False, False)):
        headings = ("", "provider", "model", *(("connector",) if with_connectors else ()), "status")
        headings = (*headings, *(("score",) if scored else ()), "reason")
        rows = [_candidate(row, connector=with_connectors, scored=scored) for row in explanation.candidates]
        whole = headings[:-1]
        taken = sum(widths(headings, rows)[:-1]) + GAP * (len(headings) - 1)
        reason = max((len(row[-1]) for row in rows), default=0)
        if taken + min(reason, LEAST_REASON) <= console.width:
            show(console, table(console, headings, rows, right=("score",), whole=whole))
            return
    for row in explanation.candidates:
        mark = "*" if row.selected else " "
        print_lines(console, f"{mark} {row.provider}/{row.model}  {row.status}", *_folded(_why(row), console.width))


def _folded(text: str, width: int) -> list[str]:
    return [f"    {line}" for line in wrap(one_line(text), max(width - 4, LEAST_REASON))]


def print_lines(console: Console, *lines: str) -> None:
    """Print lines that a terminal may fold and this program does not."""
    for line in lines:
        console.print(Text(clean(line)), soft_wrap=True)


def _candidate(row: CandidateInfo, *, connector: bool, scored: bool) -> tuple[str, ...]:
    score = NOTHING if row.score is None else f"{row.score:g}"
    return (
        "*" if row.selected else "",
        row.provider,
        row.model,
        *((row.connector or NOTHING,) if connector else ()),
        row.status,
        *((score,) if scored else ()),
        _why(row),
    )


def _why(row: CandidateInfo) -> str:
    """Return the reason of a row; a model that is available and simply not first needs none."""
    return row.reason if row.selected or row.status != "active" or row.reason != NOT_FIRST else ""


def health_table(console: Console, pool: Pool, now: float) -> Table:
    """Every member of a pool, whether it may be asked now, and why not.

    Args:
        console: Where it will be printed.
        pool: The pool.
        now: The mesh's monotonic time, seconds.
    """
    rows = [
        (model.provider_id, model.model_id, "standby" if reason else "active", reason or _recent(model.failure_count))
        for model in pool.members
        for reason in (pool.standby_reason(model, now),)
    ]
    return table(console, ("provider", "model", "state", "reason"), rows, whole=("provider", "model"))


def _recent(failures: int) -> str:
    if not failures:
        return "no failure since its last answer"
    return f"may be asked; {failures} failure{'s' if failures > 1 else ''} in a row so far"

"""Tables of attempts, candidates and health for several commands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from modelmesh._engine.foundation.attempts import AttemptOutcome
from modelmesh._engine.foundation.wording import label
from modelmesh._engine.routing.explain import NOT_FIRST
from modelmesh.cli.terminal import clean
from modelmesh.contracts import CandidateStatus, FailureClass

if TYPE_CHECKING:
    from rich.console import Console

    from modelmesh._engine.foundation.attempts import Attempt
    from modelmesh._engine.routing.explain import CandidateInfo, Explanation
    from modelmesh._engine.routing.pool import Pool

_F = FailureClass
FAILURE_TEXTS = {
    _F.CONNECT: "could not be reached",
    _F.DISCONNECT: "disconnected before answering",
    _F.TIMEOUT: "timed out",
    _F.CALLER: "received no request, because it is invalid",
    _F.REFUSED: "rejected the request",
    _F.CAPABILITY: "does not support the request",
    _F.POLICY: "rejected the request by its content policy",
    _F.CREDENTIAL: "rejected the key",
    _F.PERMISSION: "denied access to the account",
    _F.QUOTA: "reported an exhausted account quota",
    _F.MODEL_QUOTA: "reported an exhausted model quota",
    _F.NOT_FOUND: "does not have the model",
    _F.TRANSIENT: "failed temporarily",
    _F.THROTTLE: "limited the request rate",
    _F.SERVER: "had a server error",
    _F.MISCONFIGURED: "redirected elsewhere",
    _F.PROTOCOL: "sent an invalid response",
    _F.TOO_LARGE: "sent a response above the size limit",
    _F.CANCELLED: "was cancelled",
    _F.CONNECTOR_BUG_UNSENT: "has a connector that failed before sending",
    _F.CONNECTOR_BUG: "has a connector with a bug",
}
"""Behaviour of a provider by failure class. The detailed table is :data:`modelmesh._engine.foundation.failure_rules.RULES`."""

NOTHING = "-"
GAP = 2
"""Columns between two cells."""
MIN_REASON_WIDTH = 30
"""Minimum width of a readable reason. A narrower table is printed as lines."""
MIN_WIDTH = 6
"""Minimum width of a readable column."""
_COLOURS = {"active": "green", "answered": "green", "loaded": "green", "standby": "yellow", "failed": "red", "duplicate": "red"}


def table(
    console: Console,
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
) -> Table:
    """Build a table, folded to the width of a terminal and plain elsewhere.

    Args:
        console: The console that will print it.
        headings: Headings of the columns.
        rows: Cells. Control characters are removed.
        right: Headings of the columns with numbers.
        whole: Headings of the columns that are not folded, so that their text can be copied.
    """
    lines = [tuple(one_line(cell) for cell in row) for row in rows]
    if not _fits(console.width, headings, lines, whole):
        whole = ()
    terminal = console.is_terminal
    frame = box.SIMPLE_HEAD if terminal else None
    result = Table(box=frame, show_edge=False, pad_edge=False, collapse_padding=terminal, header_style="bold")
    for heading in headings:
        side = "right" if heading in right else "left"
        result.add_column(heading, justify=side, overflow="fold", no_wrap=heading in whole)  # type: ignore[arg-type]
    for row in lines:
        result.add_row(*(Text(line, style=_COLOURS.get(line.partition(":")[0], "")) for line in row))
    return result


def widths(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the width of each column without folding."""
    return [max(len(heading), *(len(row[place]) for row in rows), 0) for place, heading in enumerate(headings)]


def _fits(width: int, headings: Sequence[str], rows: Sequence[Sequence[str]], whole: Sequence[str]) -> bool:
    """Return whether the unfolded columns leave enough width for the others, which would otherwise disappear."""
    taken = (
        min(MIN_WIDTH, wide) if heading not in whole else wide
        for heading, wide in zip(headings, widths(headings, rows), strict=True)
    )
    return sum(taken) + GAP * (len(headings) - 1) <= width


def show(console: Console, shown: Table) -> None:
    """Print a table. Outside of a terminal, trailing spaces are removed."""
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
    """Return the table of a request's attempts: outcome and next step."""
    rows = [
        (
            str(attempt.number),
            attempt.provider_id,
            attempt.model_id,
            outcome_of(attempt),
            NOTHING if attempt.status is None else str(attempt.status),
            NOTHING if attempt.ms is None else f"{attempt.ms:.0f}",
            _next_step(attempts, place),
        )
        for place, attempt in enumerate(attempts)
    ]
    headings = ("#", "provider", "model", "outcome", "status", "ms", "next step")
    return table(console, headings, rows, right=("#", "status", "ms"), whole=("provider", "model"))


def outcome_of(attempt: Attempt) -> str:
    """Return the outcome of an attempt in a few words."""
    if attempt.failure is None:
        return attempt.outcome
    return label(attempt.failure)


def failure_text(failure: str) -> str:
    """Return what a provider did, for a failure class."""
    return FAILURE_TEXTS[FailureClass(failure)]


def _next_step(attempts: Sequence[Attempt], place: int) -> str:
    attempt = attempts[place]
    if place + 1 == len(attempts):
        return "returned the answer" if attempt.outcome in (AttemptOutcome.ANSWERED, AttemptOutcome.STREAMING) else "gave up"
    following = attempts[place + 1]
    waited = f"waited {following.waited_ms / 1000:.1f} s, " if following.waited_ms else ""
    if (following.provider_id, following.model_id) == (attempt.provider_id, attempt.model_id):
        return f"{waited}retried"
    return f"{waited}failed over to {following.provider_id}"


def show_candidates(console: Console, explanation: Explanation, *, details: bool = True) -> None:
    """Print every member of a pool and mark the one that a request would go to.

    A narrow terminal hides the columns of connectors and scores. If the table is still too wide, lines are printed.

    Args:
        console: The console.
        explanation: Explanation of the request.
        details: Whether to show connectors and scores.
    """
    has_scores = details and any(row.score is not None for row in explanation.candidates)
    for with_connectors, scored in ((details, has_scores), (False, has_scores), (False, False)):
        headings = ("", "provider", "model", *(("connector",) if with_connectors else ()), "status")
        headings = (*headings, *(("score",) if scored else ()), "reason")
        rows = [_candidate(row, connector=with_connectors, scored=scored) for row in explanation.candidates]
        whole = headings[:-1]
        taken = sum(widths(headings, rows)[:-1]) + GAP * (len(headings) - 1)
        reason = max((len(row[-1]) for row in rows), default=0)
        if taken + min(reason, MIN_REASON_WIDTH) <= console.width:
            show(console, table(console, headings, rows, right=("score",), whole=whole))
            return
    for row in explanation.candidates:
        mark = "*" if row.selected else " "
        print_lines(console, f"{mark} {row.provider}/{row.model}  {row.status}", *_folded(_reason(row), console.width))


def _folded(text: str, width: int) -> list[str]:
    return [f"    {line}" for line in wrap(one_line(text), max(width - 4, MIN_REASON_WIDTH))]


def print_lines(console: Console, *lines: str) -> None:
    """Print lines without folding."""
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
        _reason(row),
    )


def _reason(row: CandidateInfo) -> str:
    """Return the reason of a row, empty for a model that is available and not the first choice."""
    return row.reason if row.selected or row.status != CandidateStatus.ACTIVE or row.reason != NOT_FIRST else ""


def health_table(console: Console, pool: Pool, now: float) -> Table:
    """Return the table of a pool's members: their status and the reason.

    Args:
        console: The console that will print it.
        pool: The pool.
        now: The mesh's monotonic time, seconds.
    """
    rows = [
        (model.provider_id, model.model_id, found.status, found.text or _recent_failures(model.failure_count))
        for model in pool.members
        for found in (pool.availability(model, now),)
    ]
    return table(console, ("provider", "model", "state", "reason"), rows, whole=("provider", "model"))


def _recent_failures(failures: int) -> str:
    if not failures:
        return "no failure since its last answer"
    return f"available, {failures} consecutive failure{'s' if failures > 1 else ''}"

"""Lines of a final error after the first: one for each provider account, with its models grouped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from modelmesh._engine.foundation.failure_rules import RULES
from modelmesh._engine.foundation.failures import FailureClass, Scope
from modelmesh._engine.foundation.wording import human_duration, label, plural

if TYPE_CHECKING:
    from modelmesh._engine.foundation.attempts import Attempt, PassedOver

MAX_LINES = 20
"""Accounts that a message lists. ``details`` contains every attempt and every model."""

MAX_NAMES = 3
"""Models of one failure that are listed by name. More are counted."""

MAX_GROUPS = 3
"""Different failures or reasons that a line of one account lists."""

_F = FailureClass
_SHARED = {
    _F.CREDENTIAL: "same key",
    _F.PERMISSION: "same key",
    _F.QUOTA: "same account",
    _F.CONNECT: "same address",
    _F.MISCONFIGURED: "same address",
}


def account_lines(attempts: Sequence[Attempt], over: Sequence[PassedOver]) -> list[str]:
    """Return at most one line for each account, in the order of the attempts, then of the pool.

    Args:
        attempts: Every attempt of the request.
        over: The models that were not tried, with the reasons.

    Returns:
        The lines. Empty for a single attempt without further models, because the first line contains everything.
    """
    if len(attempts) == 1 and not over:
        return []
    accounts = dict.fromkeys([*(attempt.provider_id for attempt in attempts), *(row.provider_id for row in over)])
    found: list[str] = []
    for provider in accounts:
        mine = [attempt for attempt in attempts if attempt.provider_id == provider]
        rest = [row for row in over if row.provider_id == provider]
        found.append("  " + "; ".join([*_describe_failures(mine), *_describe_not_tried(provider, mine, rest)]))
    more = len(found) - MAX_LINES
    return found if more <= 0 else [*found[:MAX_LINES], f"  … and {plural(more, 'more account')}: see details of the error"]


def _describe_failures(attempts: Iterable[Attempt]) -> list[str]:
    groups: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        what = label(attempt.failure, attempt.status, attempt.code) if attempt.failure else attempt.outcome
        groups.setdefault(what, []).append(attempt)
    return _first([_group(what, rows) for what, rows in groups.items()])


def _group(what: str, rows: list[Attempt]) -> str:
    models = list(dict.fromkeys(f"{row.provider_id}/{row.model_id}" for row in rows))
    took = f" after {human_duration((rows[0].ms or 0.0) / 1000)}" if len(rows) == 1 and rows[0].ms is not None else ""
    names = ", ".join(models) if len(models) <= MAX_NAMES else f"{len(models)} models of {rows[0].provider_id}"
    again = f" ({plural(len(rows), 'attempt')})" if len(rows) > len(models) else ""
    return f"{names}: {what}{took}{again}"


def _describe_not_tried(provider: str, attempts: Sequence[Attempt], over: Sequence[PassedOver]) -> list[str]:
    if not over:
        return []
    shared = next((_SHARED[one] for one in map(_failure, attempts) if one in _SHARED and RULES[one].scope is Scope.ACCOUNT), None)
    more = "more " if attempts else ""
    if shared:
        verb = "was" if len(over) == 1 else "were"
        return [f"{plural(len(over), f'{more}model')} of {provider} {verb} not tried: {shared}"]
    reasons = Counter(row.reason for row in over)
    texts = [
        f"{f'{provider}/{row.model_id}' if count == 1 else f'{count} {more}models of {provider}'} not tried: {reason}"
        for reason, count in reasons.items()
        for row in (next(one for one in over if one.reason == reason),)
    ]
    return _first(texts)


def _failure(attempt: Attempt) -> FailureClass:
    return FailureClass(attempt.failure) if attempt.failure else _F.CANCELLED


def _first(parts: list[str]) -> list[str]:
    more = len(parts) - MAX_GROUPS
    return parts if more <= 0 else [*parts[:MAX_GROUPS], f"{more} more"]

"""Counts of HTTP requests and of the attempts of the mesh.

Values of one kind of request are looked up once and then changed in place, because every request pays for this module.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from attrs import define, frozen

from modelmesh._engine.foundation.attempts import Attempt, AttemptOutcome
from modelmesh._engine.foundation.failures import Billed
from modelmesh._engine.telemetry.usage_entry import count_tokens
from modelmesh_proxy.metrics import definitions
from modelmesh_proxy.metrics.definitions import DURATIONS
from modelmesh_proxy.metrics.route_labels import FIXED, METHODS, OTHER, route_label

if TYPE_CHECKING:
    from modelmesh._engine.routing.pool import Pool
    from modelmesh_proxy.metrics.series import SeriesStore

_Value = list[float]
_MAX_KNOWN = 2000


@frozen
class _HttpValues:
    """Values that a request of one method, path and status changes."""

    count: _Value
    duration: _Value
    first_byte: _Value


@define(eq=False)
class _AttemptValues:
    """Values that attempts of one model and outcome change. Those that are ``None`` have no series yet."""

    count: _Value
    seconds: _Value
    tokens: tuple[_Value, _Value] | None = None
    cost: _Value | None = None
    unknown_cost: _Value | None = None


class RequestCounts:
    """Counts the requests of this process.

    Attributes:
        pending: Finished requests of the mesh with attempts that are not counted yet. The mesh appends to it before the reply is
            sent, and :meth:`count_request` counts them after the last byte.
    """

    def __init__(self, store: SeriesStore) -> None:
        """Initialize counts that write to a store."""
        self._store = store
        self.pending: deque[tuple[str, Sequence[Attempt]]] = deque()
        self._http: dict[tuple[str, str, int], _HttpValues] = {}
        self._attempts: dict[tuple[str, str, AttemptOutcome, str | None], _AttemptValues] = {}

    def note_attempts(self, pool: Pool, attempts: Sequence[Attempt]) -> None:
        """Keep the attempts of a finished request until :meth:`count_pending`."""
        self.pending.append((pool.name, attempts))

    def count_request(self, method: str, raw_path: str, status: int, seconds: float, first_byte: float | None) -> None:
        """Count an HTTP request after the last byte of its answer.

        Args:
            method: HTTP method.
            raw_path: Percent-encoded path without the query.
            status: HTTP status.
            seconds: Time from its head to the last byte.
            first_byte: Time from its head to the first byte of the body, ``None`` without one.
        """
        values = self._http.get((method, raw_path, status)) or self._http_values(method, raw_path, status)
        values.count[0] += 1
        _observe(values.duration, seconds)
        if first_byte is not None:
            _observe(values.first_byte, first_byte)
        if self.pending:
            self.count_pending()

    def count_pending(self) -> None:
        """Count the attempts of finished requests."""
        while self.pending:
            pool, attempts = self.pending.popleft()
            self._count_attempts(pool, attempts)

    def _count_attempts(self, pool: str, attempts: Sequence[Attempt]) -> None:
        cell = self._store.cell
        if not attempts:
            cell(definitions.POOL_REQUESTS, pool, "no_attempt")[0] += 1
            return
        cell(definitions.POOL_REQUESTS, pool, attempts[-1].outcome.value)[0] += 1
        if len(attempts) > 1:
            moves = sum((a.provider_id, a.model_id) != (b.provider_id, b.model_id) for a, b in pairwise(attempts))
            if moves:
                cell(definitions.FAILOVERS, pool)[0] += moves
        for attempt in attempts:
            self._count_attempt(attempt)

    def _count_attempt(self, attempt: Attempt) -> None:
        key = attempt.provider_id, attempt.model_id, attempt.outcome, attempt.failure
        values = self._attempts.get(key) or self._attempt_values(key)
        values.count[0] += 1
        if attempt.ms is not None:
            _observe(values.seconds, attempt.ms / 1000)
        cell, model = self._store.cell, key[:2]
        if attempt.usage is not None:  # unknown usage has no series, which would read as zero
            tokens, counted = count_tokens(attempt.usage), values.tokens
            if counted is None:
                counted = values.tokens = cell(definitions.TOKENS, *model, "input"), cell(definitions.TOKENS, *model, "output")
            counted[0][0] += tokens[0]
            counted[1][0] += tokens[1]
        if attempt.cost is not None:
            if values.cost is None:
                values.cost = cell(definitions.COST, *model)
            values.cost[0] += attempt.cost
        elif attempt.billed is not Billed.NO:
            if values.unknown_cost is None:
                values.unknown_cost = cell(definitions.UNKNOWN_COST, *model)
            values.unknown_cost[0] += 1
        if attempt.outcome is AttemptOutcome.INTERRUPTED:
            cell(definitions.INTERRUPTED, *model)[0] += 1

    def _http_values(self, method: str, raw_path: str, status: int) -> _HttpValues:
        cell, route = self._store.cell, route_label(raw_path)
        values = _HttpValues(
            cell(definitions.REQUESTS, method if method in METHODS else OTHER, route, str(status)),
            cell(definitions.DURATION, route),
            cell(definitions.FIRST_BYTE, route),
        )
        if raw_path in FIXED and method in METHODS:  # the caller cannot invent further ones
            self._http[method, raw_path, status] = values
        return values

    def _attempt_values(self, key: tuple[str, str, AttemptOutcome, str | None]) -> _AttemptValues:
        cell, (provider, model, outcome, failure) = self._store.cell, key
        values = _AttemptValues(
            cell(definitions.ATTEMPTS, provider, model, outcome.value, failure or ""),
            cell(definitions.RESPONSE_TIME, provider),
        )
        if len(self._attempts) < _MAX_KNOWN:
            self._attempts[key] = values
        return values


def _observe(value: _Value, seconds: float) -> None:
    """Add a sample to a histogram over :data:`DURATIONS`."""
    value[bisect_left(DURATIONS, seconds)] += 1
    value[-1] += seconds

"""Explanation of the route that a request would take now: the flow, run up to its first step and closed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import asdict, frozen

from modelmesh._engine.limits.cost import RATES, pricing_at
from modelmesh._engine.limits.token_counts import prompt_size
from modelmesh._engine.routing.flow import serve
from modelmesh._engine.routing.request_eligibility import eligibility
from modelmesh._engine.routing.steps import Send
from modelmesh.contracts.strategy import SelectionRequest
from modelmesh.errors import BudgetExceededError, RoutingError

if TYPE_CHECKING:
    from modelmesh._engine.routing.pool import Pool
    from modelmesh.contracts.call import Call
    from modelmesh.contracts.pricing import ModelPricing

NOT_FIRST = "available, not first"
"""Reason of a candidate that could serve the request and was not selected."""


@frozen
class CandidateInfo:
    """One member of the pool at the time of the explanation.

    Attributes:
        model: Model ID.
        provider: Provider key.
        connector: Connector ID.
        status: ``active`` or ``standby``.
        selected: Whether the request would go to it.
        score: Score of the strategy, ``None`` without one.
        reason: Why it was selected or not.
        left: Remaining amount of each of its limits.
        price: Prices that apply to this request now in USD, with their ``source`` and ``as_of``. ``None`` when no price is known,
            which does not mean free.
        until: Unix seconds at which the reasons end, ``None`` when it could serve the request or no time is known.
    """

    model: str
    provider: str
    connector: str
    status: str
    selected: bool
    score: float | None
    reason: str
    left: tuple[dict[str, Any], ...] = ()
    price: dict[str, Any] | None = None
    until: float | None = None


@frozen(repr=False)
class Explanation:
    """Route that a request would take now. Nothing was sent.

    Attributes:
        pool_name: The pool.
        capability: Path of its capability.
        strategy: ID of its strategy.
        selected_model: Model that would receive the request, ``None`` without one.
        selected_provider: Its provider.
        reason: Why it was selected, or why no model was.
        candidates: Every member.
        aliases: Further names of the pool.
    """

    pool_name: str
    capability: str
    strategy: str
    selected_model: str | None
    selected_provider: str | None
    reason: str
    candidates: tuple[CandidateInfo, ...]
    aliases: tuple[str, ...] = ()

    def __getitem__(self, key: str) -> Any:
        return getattr(self, key)

    def keys(self) -> list[str]:
        """Names of the fields, so that ``dict(explanation)`` works."""
        return [field.name for field in type(self).__attrs_attrs__]

    def __str__(self) -> str:
        of = f" ({self.capability})" if self.capability else ""
        chosen = f"{self.selected_provider}/{self.selected_model}" if self.selected_model else None
        summary = f"A request would go to {chosen}: {self.reason}" if chosen else self.reason
        rows = [("", "provider", "model", "status", "reason")]
        rows += [
            ("*" if row.selected else "", row.provider, row.model, row.status, "" if row.reason == NOT_FIRST else row.reason)
            for row in self.candidates
        ]
        wide = [max(len(row[column]) for row in rows) for column in range(4)]
        names = f", aliases: {', '.join(self.aliases)}" if self.aliases else ""
        lines = ["  ".join([*(cell.ljust(size) for cell, size in zip(row, wide, strict=False)), row[4]]).rstrip() for row in rows]
        return "\n".join([f"Pool {self.pool_name}{of}, strategy {self.strategy}{names}", summary, "", *lines])

    def __repr__(self) -> str:
        chosen = f"{self.selected_provider}/{self.selected_model}" if self.selected_model else "no model"
        return f"<Explanation of pool {self.pool_name!r}: {chosen}, {len(self.candidates)} candidates>"

    def _repr_html_(self) -> str:
        from html import escape  # noqa: PLC0415 - only for notebooks

        return f"<pre>{escape(str(self))}</pre>"


def explain(call: Call, pool: Pool, *, clock: Callable[[], float], rng: Any) -> Explanation:
    """Run the flow of a request up to its first step.

    Args:
        call: The request.
        pool: The pool that would serve it.
        clock: Returns monotonic time, seconds.
        rng: Random source with a method ``random()``. Pass a copy, so that the explanation does not advance the original.
    """
    chosen, reason = None, ""
    flow = serve(call, pool, clock=clock, rng=rng, dry_run=True)
    try:
        step = next(flow)
        if isinstance(step, Send):
            chosen, reason = step.candidate, step.attempt.reason
    except (RoutingError, BudgetExceededError) as error:
        reason = error.message
    finally:
        flow.close()
    now = clock()
    request = SelectionRequest(call, pool.name, now, rng, call.options.session_id)
    prompt = prompt_size(call).estimated
    when = pool.unix_time(now)
    capable = pool.capable(call)
    rows = []
    for candidate in pool.members:
        found = eligibility(pool, candidate, call, now, capable)
        why = reason if candidate is chosen else found.text or NOT_FIRST
        rows.append(
            CandidateInfo(
                candidate.model_id,
                candidate.provider_id,
                candidate.connector_id,
                found.status.value,
                candidate is chosen,
                _score(pool, candidate, request),
                why,
                tuple(pool.reservations.forecasts(candidate, now)),
                _price(candidate.info.pricing, prompt, when),
                None if found.ok or math.isinf(found.until) else pool.unix_time(found.until),
            )
        )
    return Explanation(
        pool.name,
        pool.capability,
        pool.strategy.id,
        chosen.model_id if chosen else None,
        chosen.provider_id if chosen else None,
        reason,
        tuple(rows),
        pool.aliases,
    )


def _price(pricing: ModelPricing | None, prompt: int, when: float) -> dict[str, Any] | None:
    if pricing is None or not pricing.known:
        return None
    applicable = pricing_at(pricing, prompt, when)
    rates = {name: getattr(applicable, name) for name in RATES if getattr(applicable, name) is not None}
    units = {} if pricing.units is None else {name: price for name, price in asdict(pricing.units).items() if price is not None}
    return {**rates, **units, "source": pricing.source, "as_of": pricing.as_of}


def _score(pool: Pool, candidate: Any, request: SelectionRequest) -> float | None:
    score = getattr(pool.strategy, "score", None)
    if score is None:
        return None
    try:
        return float(score(candidate, request))
    except Exception:  # noqa: BLE001 - a strategy without a score still routes, so the explanation does not fail
        return None

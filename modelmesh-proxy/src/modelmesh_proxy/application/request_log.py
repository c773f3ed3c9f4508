"""Request log: one line for each request with its model, provider, attempts and cost, without prompts and keys."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextvars import ContextVar
from time import perf_counter
from typing import TYPE_CHECKING, Any

from modelmesh._engine.mesh.watching import observe_requests
from modelmesh._engine.telemetry.usage_entry import count_tokens

if TYPE_CHECKING:
    from modelmesh._engine.foundation.attempts import Attempt
    from modelmesh._engine.routing.pool import Pool
    from modelmesh_proxy.application.exchange import Exchange
    from modelmesh_proxy.services import ProxyServices

FIELDS = "modelmesh_fields"
"""Attribute of a log record with its fields, a dictionary."""

MAX_PATH = 200

_log = logging.getLogger("modelmesh.proxy.access")
_answers: ContextVar[list[tuple[str, Sequence[Attempt]]] | None] = ContextVar("modelmesh_answers", default=None)


class RequestLog:
    """Logs each request at its end. Nothing of it runs in a proxy without a request log."""

    def __init__(self, services: ProxyServices) -> None:
        """Observe the requests of the mesh, and of those that replace it.

        Args:
            services: State of the proxy.
        """
        self._services = services
        services.on_replaced.append(lambda _: self._observe())
        self._observe()

    def begin(self, exchange: Exchange) -> None:
        """Collect the attempts of a request that begins in this task."""
        exchange.request_id()
        _answers.set([])

    def end(self, exchange: Exchange) -> None:
        """Log a request that has ended."""
        caller = exchange.caller
        fields: dict[str, Any] = {
            "method": exchange.method,
            "path": exchange.path[:MAX_PATH],
            "status": exchange.status,
            "ms": round((perf_counter() - exchange.began) * 1000, 1),
            "first_byte_ms": None if exchange.first_byte is None else round(exchange.first_byte * 1000, 1),
        }
        for pool, attempts in _answers.get() or ():
            fields |= _answer_fields(pool, attempts)
        fields |= {
            "token": (caller.name or None) if caller is not None else None,
            "team": caller.team if caller is not None else None,
            "request_id": exchange.request_id(),
            "peer": exchange.peer,
        }
        _log.info("request", extra={FIELDS: {name: value for name, value in fields.items() if value is not None}})

    def _observe(self) -> None:
        observe_requests(self._services.mesh, _collect)


def _collect(pool: Pool, attempts: Sequence[Attempt]) -> None:
    found = _answers.get()
    if found is not None:
        found.append((pool.name, attempts))


def _answer_fields(pool: str, attempts: Sequence[Attempt]) -> dict[str, Any]:
    if not attempts:
        return {"pool": pool, "attempts": 0}
    last = attempts[-1]
    fields: dict[str, Any] = {
        "pool": pool,
        "model": last.model_id,
        "provider": last.provider_id,
        "attempts": len(attempts),
        "failure": last.failure,
        "vendor_request_id": last.request_id,
    }
    usages = [count_tokens(attempt.usage) for attempt in attempts if attempt.usage is not None]
    if usages:
        fields["input_tokens"], fields["output_tokens"] = (sum(part) for part in zip(*usages, strict=True))
    costs = [attempt.cost for attempt in attempts if attempt.cost is not None]
    if costs:
        fields["cost"] = round(sum(costs), 9)
    return fields

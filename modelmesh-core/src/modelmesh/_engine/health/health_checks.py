"""What is found out beside the requests, and what it does to the health book."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from modelmesh._engine.health.circuit_breaker import Reason

if TYPE_CHECKING:
    from modelmesh._engine.health.circuit_breaker import Account
    from modelmesh._engine.health.registry import HealthBook
    from modelmesh._engine.routing.candidates import Candidate


def surveyed(book: HealthBook, account: Account, *, up: bool) -> None:
    """Withhold an account whose probes fail, or bring back one that was withheld for that. Its circuit stays as it is."""
    book.changes.append(("healthy" if up else "unhealthy", account, Reason.HEALTH_CHECK, None))
    if up:
        book.free(account, Reason.HEALTH_CHECK)
    else:
        book.hold(account, Reason.HEALTH_CHECK, math.inf)


def unlisted(book: HealthBook, candidate: Candidate, *, listed: bool) -> bool:
    """Withhold a model that its vendor does not list any more, or bring back one that it lists again.

    Returns:
        Whether that changed anything.
    """
    withheld = Reason.DEPRECATED in candidate.health.holds
    if listed and withheld:
        book.free(candidate.health, Reason.DEPRECATED)
    elif not listed and not withheld:
        book.hold(candidate.health, Reason.DEPRECATED, math.inf)
    return listed == withheld

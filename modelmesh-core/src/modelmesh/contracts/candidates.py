"""Read-only view of a pool for strategies: candidates, sets of candidates, and the pool itself.

The router passes :class:`Candidates` to :meth:`.Strategy.select`. A set of candidates is an integer with one bit for each
member of the pool, so its size does not affect the cost of a selection. A strategy may keep masks of its own and combine
them with a set through :class:`Order`.

All times are monotonic seconds. :meth:`PoolView.unix_time` converts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Any, Protocol

from attrs import frozen

from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.rate_limits import RateLimit


class CandidateStatus(StrEnum):
    """Whether a model may serve requests now."""

    ACTIVE = "active"
    STANDBY = "standby"


class Candidate(Protocol):
    """A model at a provider. It is the same object in every pool that contains it, and it is hashable."""

    @property
    def model_id(self) -> str:
        """Model ID as the caller writes it, for example ``gpt-4o``."""

    @property
    def upstream(self) -> str:
        """Model ID that is sent to the vendor."""

    @property
    def provider_id(self) -> str:
        """Key of the provider in the configuration."""

    @property
    def connector_id(self) -> str:
        """ID of the connector that serves it."""

    @property
    def info(self) -> ModelInfo:
        """Catalogue row."""

    @property
    def memberships(self) -> Sequence[tuple[PoolView, int]]:
        """Pools that contain it, each with its position there. Empty after it was removed from all pools."""

    @property
    def status(self) -> CandidateStatus:
        """``ACTIVE`` when the circuit breakers of the model and of its provider account allow requests."""

    @property
    def in_flight(self) -> int:
        """Number of its requests in flight."""

    @property
    def provider_in_flight(self) -> int:
        """Number of requests in flight at its provider account, those of other models included."""

    @property
    def failure_count(self) -> int:
        """Consecutive failures."""

    @property
    def error_rate(self) -> float:
        """Share of failures among the latest results, 0 without results."""

    @property
    def typical_output(self) -> float | None:
        """Moving average of the tokens of its answers, ``None`` before the first answer."""

    @property
    def answered_at(self) -> float:
        """Time of its latest answer, 0 before the first."""

    @property
    def available_at(self) -> float:
        """Time at which its circuit breakers allow requests again, 0 while they do, ``inf`` when no time is known."""

    def slow_start_weight(self, now: float) -> float:
        """Return the share of its normal load that it should get: 1, or less for a while after a recovery."""

    def rate_limits(self, now: float) -> Sequence[RateLimit]:
        """Return the rate limits that its latest answer reports, without those after their reset."""


@frozen
class CountedLimit:
    """A configured limit of requests or tokens, and what the mesh has counted against it.

    Attributes:
        kind: ``requests`` or ``tokens``.
        limit: Size of the window.
        remaining: What is left of the window.
        resets_at: Time at which more becomes available, ``inf`` when time alone does not change it.
    """

    kind: str
    limit: int
    remaining: int
    resets_at: float


class Order(Protocol):
    """An order of preference over the positions of a pool."""

    def first(self, mask: int) -> int | None:
        """Return the preferred position of a set, ``None`` when the order contains none of them."""


class Candidates(Protocol):
    """Some members of a pool, in pool order."""

    @property
    def pool(self) -> PoolView:
        """The pool."""

    def __len__(self) -> int: ...

    def __bool__(self) -> bool: ...

    def __iter__(self) -> Iterator[Candidate]: ...

    def __contains__(self, candidate: object, /) -> bool: ...

    def first(self) -> Candidate | None:
        """Return the first in pool order, ``None`` when the set is empty."""

    def after(self, candidate: Candidate | None) -> Candidate | None:
        """Return the one that follows a member in pool order, cyclically. It is the member itself when no other is in the set."""

    def pick(self, number: int) -> Candidate:
        """Return the one with a number, counted from 0, in logarithmic time.

        Raises:
            IndexError: The set is smaller.
        """

    def of_provider(self, name: str) -> Candidates:
        """Return those of one provider, by key, connector ID or provider name."""

    def named(self, model: str) -> Candidates:
        """Return those with a model ID, written with or without its provider."""

    def first_of(self, order: Order) -> Candidate | None:
        """Return the one that an order prefers, ``None`` when the order contains none of them."""

    def best(self, score: Callable[[Candidate], Any]) -> Candidate | None:
        """Return the one with the highest score, the earlier one on a tie. Evaluates every member."""


class PoolView(Protocol):
    """A pool, read-only.

    Attributes of a pool never change in place: when models join, ``members`` becomes another tuple and earlier positions
    stay as they are.
    """

    @property
    def name(self) -> str:
        """Virtual model name."""

    @property
    def members(self) -> tuple[Candidate, ...]:
        """All members, in pool order."""

    def position(self, candidate: object) -> int | None:
        """Return the position of a member, ``None`` for anything else."""

    def subset(self, mask: int) -> Candidates:
        """Return the members at the positions of a mask."""

    def mask_of_provider(self, name: str) -> int:
        """Return the positions of a provider's members, by key, connector ID or provider name."""

    def mask_of_model(self, model: str) -> int:
        """Return the positions of the members with a model ID, written with or without its provider."""

    def standby_reason(self, candidate: Candidate, now: float) -> str | None:
        """Return why a member is unavailable, ``None`` when it is available."""

    def counted_limits(self, candidate: Candidate, now: float) -> Sequence[CountedLimit]:
        """Return the configured limits of a member and of its provider account."""

    def limit_groups(self, now: float) -> Sequence[tuple[Sequence[int], Sequence[CountedLimit]]]:
        """Return the positions of the members with configured limits, in groups with equal limits.

        It reads all members at once, where :meth:`counted_limits` for each of them would take too long.
        """

    def unix_time(self, now: float) -> float:
        """Convert monotonic seconds to Unix seconds."""

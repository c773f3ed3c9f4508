"""Admission queue of a provider account: requests that wait for a place in flight, in order of arrival."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from attrs import define, field

QUEUE_SIZE = 1000
"""Default number of requests that may wait at one account."""


@define(eq=False)
class Ticket:
    """Position of a request in the queues of all accounts that it waits for.

    Attributes:
        granted: The queue that granted a place, ``None`` while the request waits. A granted place is reserved for the
            request until it leaves the queue.
        wake: Ends the driver's wait early. The driver sets it. A second call has no effect.
    """

    granted: AdmissionQueue | None = None
    wake: Callable[[], None] | None = None

    def notify(self) -> None:
        """End the driver's wait, because a place was granted or the account became unavailable."""
        if self.wake is not None:
            self.wake()


@define(eq=False)
class AdmissionQueue:
    """Requests that wait for one account, in order of arrival.

    Attributes:
        size: Maximum number of waiting requests. Further ones are refused at once.
        wait_s: Longest wait of a request in seconds, ``None`` for the request's deadline.
    """

    size: int = QUEUE_SIZE
    wait_s: float | None = None
    _waiting: deque[Ticket] = field(factory=deque, init=False, repr=False)
    _granted: set[Ticket] = field(factory=set, init=False, repr=False)

    @property
    def waiting(self) -> int:
        """Number of requests without a granted place."""
        return len(self._waiting)

    @property
    def granted_slots(self) -> int:
        """Number of granted places that were not taken yet."""
        return len(self._granted)

    @property
    def is_full(self) -> bool:
        """Whether a further request is refused at once."""
        return len(self._waiting) >= self.size

    def join(self, ticket: Ticket) -> None:
        """Add a request at the end of the queue."""
        self._waiting.append(ticket)

    def leave(self, ticket: Ticket) -> None:
        """Remove a request, whether it waits or was granted a place. A second call has no effect."""
        self._granted.discard(ticket)
        if ticket in self._waiting:
            self._waiting.remove(ticket)

    def grant(self, places: int) -> None:
        """Grant places to the requests that have waited longest.

        Args:
            places: Free places of the account, without the granted ones.
        """
        while places > 0 and self._waiting:
            ticket = self._waiting.popleft()
            if ticket.granted is not None:
                continue  # granted by another account
            self._granted.add(ticket)
            ticket.granted = self
            places -= 1
            ticket.notify()

    def notify_all(self) -> None:
        """Wake every waiting request, because the account became unavailable."""
        for ticket in self._waiting:
            ticket.notify()

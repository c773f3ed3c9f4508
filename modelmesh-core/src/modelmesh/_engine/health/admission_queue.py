"""The admission queue of an account: requests that wait for a place in flight, first come, first served."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from attrs import define, field

QUEUE_SIZE = 1000
"""Requests that may wait for a place at one account, when the configuration names no other number."""


@define(eq=False)
class Ticket:
    """A request's place in the queues of all accounts that it waits for.

    Attributes:
        granted: The queue that granted a place, ``None`` while the request waits. A granted place is reserved for the
            request until it leaves the queue.
        wake: Ends the driver's wait early. The driver sets it; calling it twice is harmless.
    """

    granted: AdmissionQueue | None = None
    wake: Callable[[], None] | None = None

    def notify(self) -> None:
        """End the driver's wait, because a place was granted or the account became unavailable."""
        if self.wake is not None:
            self.wake()


@define(eq=False)
class AdmissionQueue:
    """Requests that wait for one account, in the order in which they came.

    Attributes:
        size: Requests that may wait at the same time; further ones are refused at once.
        wait_s: Longest wait of a request, seconds; ``None`` waits until the request's deadline.
    """

    size: int = QUEUE_SIZE
    wait_s: float | None = None
    _waiting: deque[Ticket] = field(factory=deque, init=False, repr=False)
    _granted: set[Ticket] = field(factory=set, init=False, repr=False)

    @property
    def waiting(self) -> int:
        """Requests that wait and were granted no place yet."""
        return len(self._waiting)

    @property
    def granted_slots(self) -> int:
        """Places that were granted and not taken yet."""
        return len(self._granted)

    @property
    def is_full(self) -> bool:
        """Whether one more request would be refused at once."""
        return len(self._waiting) >= self.size

    def join(self, ticket: Ticket) -> None:
        """Put a request at the end of the queue."""
        self._waiting.append(ticket)

    def leave(self, ticket: Ticket) -> None:
        """Take a request out, whether it waits or was granted a place. Does nothing the second time."""
        self._granted.discard(ticket)
        if ticket in self._waiting:
            self._waiting.remove(ticket)

    def grant(self, places: int) -> None:
        """Grant places to the requests that have waited longest.

        Args:
            places: Free places of the account, without those that are granted already.
        """
        while places > 0 and self._waiting:
            ticket = self._waiting.popleft()
            if ticket.granted is not None:
                continue  # another account granted it a place
            self._granted.add(ticket)
            ticket.granted = self
            places -= 1
            ticket.notify()

    def notify_all(self) -> None:
        """Let every waiting request look again, because the account became unavailable."""
        for ticket in self._waiting:
            ticket.notify()

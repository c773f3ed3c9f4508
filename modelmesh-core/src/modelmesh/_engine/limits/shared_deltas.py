"""Amounts that this process has counted and not yet published to other processes."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define

from modelmesh._engine.limits.reservation import Reservation


@define(eq=False)
class SharedDeltas:
    """Unpublished amounts by shared bucket.

    Attributes:
        pending: The amounts, ``None`` while no store shares the counts of this mesh.
        required: Whether requests that a budget limits are refused while the store does not reply.
    """

    pending: dict[str, int] | None = None
    required: bool = False

    def start(self, *, required: bool = False) -> None:
        """Collect amounts from now on, because a store shares them."""
        self.pending, self.required = {}, required

    def add(self, bucket: str, amount: int) -> None:
        """Add an amount that was counted. An empty bucket name is not shared."""
        if self.pending is not None and amount and bucket:
            self.pending[bucket] = self.pending.get(bucket, 0) + amount

    def take(self) -> dict[str, int]:
        """Return the unpublished amounts, and start from zero."""
        taken, self.pending = self.pending or {}, {} if self.pending is not None else None
        return taken

    def publish(self, reservation: Reservation) -> dict[str, int]:
        """Return the unpublished amounts and those of one reservation, zero amounts included.

        A zero amount requests the total of its bucket. Reservations of other threads are left out, because those threads
        must receive totals that contain their own.
        """
        amounts = self.take()
        for counter, amount in reservation.amounts:
            for bucket in counter.buckets:
                amounts.setdefault(bucket, 0)
            if counter.bucket:
                reservation.published.append((counter, counter.bucket, amount))
                counter.note_published(counter.bucket, amount)
                amounts[counter.bucket] += amount
        return amounts

    def requeue(self, amounts: dict[str, int]) -> None:
        """Take back amounts after a failed publication. Another thread may empty the same mapping at the same time."""
        for bucket, amount in pop_all(amounts):
            self.add(bucket, amount)


def pop_all(amounts: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Remove and yield every amount. Of two threads that do this at once, each amount goes to one."""
    while amounts:
        try:
            yield amounts.popitem()
        except KeyError:  # the other thread took the last one
            return

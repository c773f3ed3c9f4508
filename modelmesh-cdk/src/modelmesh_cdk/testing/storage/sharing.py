"""Tests of concurrent access, conditional saves and counters."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from modelmesh.contracts.storage import BatchCounters, ConditionalSave, Counters, StorageEntry
from modelmesh.errors import StorageConflictError
from modelmesh_cdk.testing.storage.subject import Subject, offers

SHORT_S = 0.05
TIMEOUT_S = 10.0


class Sharing(Subject):
    """Concurrent access loses nothing and is consistent."""

    def _at_once(self, work: Callable[[int], Any]) -> list[Any]:
        """Run a function in every thread at the same time."""
        start = Barrier(self.threads)

        def begin(number: int) -> Any:
            start.wait(TIMEOUT_S)
            return work(number)

        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(begin, range(self.threads)))

    def test_save_in_threads_loses_no_write(self, store: Any) -> None:
        """Threads that save different keys lose no entry."""

        def work(number: int) -> None:
            for turn in range(self.rounds):
                store.save(f"kit/{number}/{turn}", StorageEntry("", f"{number} {turn}".encode()))

        self._at_once(work)
        everything = {f"kit/{n}/{t}": f"{n} {t}".encode() for n in range(self.threads) for t in range(self.rounds)}
        assert {key: getattr(store.load(key), "data", None) for key in everything} == everything

    def test_load_during_save_is_consistent(self, store: Any) -> None:
        """A read during writes returns data and metadata of the same save."""
        pieces = 8192

        def entry(number: int) -> StorageEntry:
            return StorageEntry("", bytes([number]) * pieces, {"number": number})

        store.save("kit/torn", entry(0))

        def work(number: int) -> set[Any]:
            seen = set()
            for _ in range(self.rounds):
                if number % 2:
                    store.save("kit/torn", entry(number))
                else:
                    loaded = store.load("kit/torn")
                    seen.add((loaded.metadata["number"], len(loaded.data), frozenset(loaded.data)))
            return seen

        seen = set().union(*self._at_once(work))
        assert {one for one in seen if one != (one[0], pieces, frozenset([one[0]]))} == set()

    # -- conditional saves --------------------------------------------------------------------------------------------

    def test_conditional_save_keeps_newer_entry(self, store: Any) -> None:
        """A conditional save with an old version is rejected and changes nothing."""
        offers(store, ConditionalSave)
        store.save("kit/newer", StorageEntry("", b"old"))
        read = store.load("kit/newer").version
        store.save("kit/newer", StorageEntry("", b"newer"))
        with pytest.raises(StorageConflictError):
            store.save_if("kit/newer", StorageEntry("", b"mine"), read)
        assert store.load("kit/newer").data == b"newer"

    def test_conditional_save_keeps_deletion(self, store: Any) -> None:
        """A conditional save of a deleted entry is rejected."""
        offers(store, ConditionalSave)
        store.save("kit/deleted", StorageEntry("", b"x"))
        read = store.load("kit/deleted").version
        store.delete("kit/deleted")
        with pytest.raises(StorageConflictError):
            store.save_if("kit/deleted", StorageEntry("", b"mine"), read)
        assert not store.exists("kit/deleted")

    def test_save_returns_next_version(self, store: Any) -> None:
        """A save returns the entry's version, which is valid for the next save. Equal data gets a new version."""
        offers(store, ConditionalSave)
        first = store.save_if("kit/versions", StorageEntry("", b"x"), None)
        assert first == store.load("kit/versions").version == store.stat("kit/versions").version
        second = store.save_if("kit/versions", StorageEntry("", b"x"), first)
        assert isinstance(second, str)
        assert second not in ("", first)
        assert store.load("kit/versions").version == second

    def test_conditional_save_has_one_first_writer(self, store: Any) -> None:
        """Of threads that save a new key, one succeeds and all others are rejected."""
        offers(store, ConditionalSave)

        def work(number: int) -> bool:
            try:
                store.save_if("kit/first", StorageEntry("", str(number).encode()), None)
            except StorageConflictError:
                return False
            return True

        won = self._at_once(work)
        assert won.count(True) == 1
        assert store.load("kit/first").data == str(won.index(True)).encode()

    def test_conditional_save_loses_no_update(self, store: Any) -> None:
        """Threads that read, add one and save conditionally, with retries, produce the right sum."""
        offers(store, ConditionalSave)
        store.save("kit/sum", StorageEntry("", b"0"))

        def work(_: int) -> None:
            for _turn in range(self.rounds):
                while True:
                    read = store.load("kit/sum")
                    more = StorageEntry("", str(int(read.data) + 1).encode())
                    try:
                        store.save_if("kit/sum", more, read.version)
                    except StorageConflictError:
                        continue
                    break

        self._at_once(work)
        assert int(store.load("kit/sum").data) == self.threads * self.rounds

    # -- counters -----------------------------------------------------------------------------------------------------

    def test_counter_adds(self, store: Any) -> None:
        """Counters start at 0, accept negative amounts and values beyond 32 bits, and are independent of each other."""
        offers(store, Counters)
        billion = 10**15
        sums = [store.increment("kit/a"), store.increment("kit/a", billion), store.increment("kit/a", -2)]
        assert sums == [1, billion + 1, billion - 1]
        assert (store.increment("kit/a", 0), store.increment("kit/b", 0), store.increment("kit/b", 5)) == (billion - 1, 0, 5)

    def test_counter_in_threads_loses_no_addition(self, store: Any) -> None:
        """Threads that add to one counter produce the right sum, and each sum occurs once."""
        offers(store, Counters)
        sums = self._at_once(lambda _: [store.increment("kit/many") for _turn in range(self.rounds)])
        assert sorted(one for some in sums for one in some) == list(range(1, self.threads * self.rounds + 1))

    def test_counter_batch_equals_single_additions(self, store: Any) -> None:
        """A batch of additions gives the same sums as single additions, and no addition is lost."""
        offers(store, BatchCounters)
        store.increment("kit/b", 10)
        assert store.increment_many({"kit/a": (1, None), "kit/b": (-3, 60.0), "kit/c": (0, None)}) == {
            "kit/a": 1,
            "kit/b": 7,
            "kit/c": 0,
        }
        assert (store.increment("kit/a", 0), store.increment("kit/b", 0), store.increment_many({})) == (1, 7, {})
        self._at_once(lambda _: [store.increment_many({"kit/a": (1, None), "kit/b": (2, None)}) for _turn in range(self.rounds)])
        additions = self.threads * self.rounds
        assert (store.increment("kit/a", 0), store.increment("kit/b", 0)) == (1 + additions, 7 + 2 * additions)

    def test_counter_expires(self, store: Any) -> None:
        """A counter expires at a fixed time after its first addition and then starts at 0."""
        offers(store, Counters)
        store.increment("kit/window", 1000, SHORT_S)
        until = time.monotonic() + TIMEOUT_S / 5
        while (now := store.increment("kit/window", 1, SHORT_S)) > 1000:  # noqa: PLR2004 - what was added first
            assert time.monotonic() < until, "the counter is never forgotten while it is added to"
        assert now == 1

    def test_counters_are_not_entries(self, store: Any) -> None:
        """A counter is not listed and is independent of the entry of the same name."""
        offers(store, Counters)
        store.increment("kit/same", 3)
        assert (store.list(), store.load("kit/same"), store.exists("kit/same")) == ([], None, False)
        store.save("kit/same", StorageEntry("", b"x"))
        store.delete("kit/same")
        assert store.increment("kit/same", 0) == 3  # noqa: PLR2004 - what was added above

    def test_instances_share_counters(self, make: Callable[..., Any]) -> None:
        """In a persistent store, two instances add to the same counter and reject each other's stale saves."""
        self.require("persists")
        one, other = make(), make()
        offers(one, Counters)
        assert (one.increment("kit/shared", 2), other.increment("kit/shared", 3)) == (2, 5)
        offers(one, ConditionalSave)
        version = one.save_if("kit/shared", StorageEntry("", b"one"), None)
        other.save_if("kit/shared", StorageEntry("", b"other"), version)
        with pytest.raises(StorageConflictError):
            one.save_if("kit/shared", StorageEntry("", b"stale"), version)

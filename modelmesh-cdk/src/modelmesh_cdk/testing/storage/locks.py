"""Locks keep others out until they are given back or their time is up."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from modelmesh.contracts.storage import LockHandle, Locking, StorageEntry
from modelmesh.errors import StorageLockError
from modelmesh_cdk.testing.storage.sharing import PATIENCE, SOON
from modelmesh_cdk.testing.storage.subject import Subject, offers


class Locks(Subject):
    """Taking, keeping, losing and giving back."""

    def test_lock_keeps_others_out(self, store: Any) -> None:
        """What is locked cannot be locked again, in words that name it; other keys can."""
        offers(store, Locking)
        store.acquire("kit/locked", 0)
        with pytest.raises(StorageLockError, match="kit/locked") as caught:
            store.acquire("kit/locked", 0)
        assert isinstance(caught.value, TimeoutError)
        assert (store.is_locked("kit/locked"), store.is_locked("kit/free")) == (True, False)
        store.acquire("kit/free", 0)

    def test_lock_says_whose_and_until_when(self, store: Any) -> None:
        """A handle has the key, an ID of its own and its times in Unix seconds."""
        offers(store, Locking)
        one, other = store.acquire("kit/one", 0, expires_s=60), store.acquire("kit/other", 0)
        assert isinstance(one, LockHandle)
        assert (one.key, other.key) == ("kit/one", "kit/other")
        assert one.lock_id != other.lock_id
        assert abs(one.acquired_at - time.time()) <= 60  # noqa: PLR2004 - the store's clock may be another machine's
        assert one.expires_at - one.acquired_at == pytest.approx(60, abs=1)

    def test_released_lock_is_free(self, store: Any) -> None:
        """A lock that was given back can be taken again; giving it back twice is ``False`` and takes it from nobody."""
        offers(store, Locking)
        first = store.acquire("kit/released", 0)
        assert store.release(first) is True
        assert store.is_locked("kit/released") is False
        second = store.acquire("kit/released", 0)
        assert store.release(first) is False
        assert store.is_locked("kit/released") is True
        assert store.release(second) is True

    def test_waiting_ends_with_the_release(self, store: Any) -> None:
        """Who waits for a lock gets it when it is given back."""
        offers(store, Locking)
        held = store.acquire("kit/waited", 0, expires_s=10 * PATIENCE)
        with ThreadPoolExecutor(1) as thread:
            waiting = thread.submit(store.acquire, "kit/waited", PATIENCE)
            time.sleep(SOON)
            assert not waiting.done()
            store.release(held)
            assert waiting.result().lock_id != held.lock_id

    def test_lock_of_the_dead_expires(self, store: Any) -> None:
        """A lock that nobody releases is free when its time is up, and its handle releases nothing any more."""
        offers(store, Locking)
        dead = store.acquire("kit/dead", 0, expires_s=SOON)
        heir = store.acquire("kit/dead", PATIENCE, expires_s=10 * PATIENCE)
        assert heir.lock_id != dead.lock_id
        assert store.release(dead) is False
        assert store.is_locked("kit/dead") is True
        with pytest.raises(StorageLockError):
            store.acquire("kit/dead", 0)

    def test_one_at_a_time(self, store: Any) -> None:
        """Threads that lock, read, add one, save and release come to the right sum."""
        offers(store, Locking)
        store.save("kit/turns", StorageEntry("", b"0"))

        def work(_: int) -> None:
            for _turn in range(3):
                lock = store.acquire("kit/turns", 6 * PATIENCE, expires_s=6 * PATIENCE)
                read = int(store.load("kit/turns").data)
                time.sleep(0)
                store.save("kit/turns", StorageEntry("", str(read + 1).encode()))
                store.release(lock)

        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(work, range(self.threads)))
        assert int(store.load("kit/turns").data) == 3 * self.threads

    def test_locks_are_no_entries(self, store: Any) -> None:
        """A lock is not listed, stands in nobody's way, and stays when the entry of its name is deleted."""
        offers(store, Locking)
        store.acquire("kit/named", 0)
        assert (store.list(), store.load("kit/named")) == ([], None)
        store.save("kit/named", StorageEntry("", b"x"))
        assert store.load("kit/named").data == b"x"
        store.delete("kit/named")
        assert store.is_locked("kit/named") is True

    def test_instances_keep_each_other_out(self, make: Callable[..., Any]) -> None:
        """In a store that persists, a lock holds against another instance, and another instance may give it back."""
        self.require("persists")
        one, other = make(), make()
        offers(one, Locking)
        held = one.acquire("kit/between", 0)
        assert other.is_locked("kit/between") is True
        with pytest.raises(StorageLockError):
            other.acquire("kit/between", 0)
        assert other.release(held) is True
        other.acquire("kit/between", 0)

"""Faulty stores, each with one fault, and the standard test that detects it."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest
from attrs import evolve

from modelmesh.contracts.storage import LockHandle, StorageEntry
from modelmesh.errors import StorageConflictError
from modelmesh_cdk import KeyValueStorage
from modelmesh_cdk.testing import StorageConformance


class Honest(KeyValueStorage):
    id = "acme.honest.v1"

    def increment_many(self, additions):
        return {key: self.increment(key, amount, lasts) for key, (amount, lasts) in additions.items()}


# -- entries


class CannotStat(Honest):
    stat = None  # type: ignore[assignment]


class KeepsText(Honest):
    def save(self, key, entry):
        super().save(key, evolve(entry, data=entry.data.decode("utf-8", "replace").encode()))


class KeepsTheFirstBlock(Honest):
    def save(self, key, entry):
        super().save(key, evolve(entry, data=entry.data[:65536]))


class KeepsTextBesideIt(Honest):
    def save(self, key, entry):
        super().save(key, evolve(entry, metadata={name: str(value) for name, value in entry.metadata.items()}))


class HandsOutItsOwn(Honest):
    def __init__(self, config=None):
        super().__init__(config)
        self.held = {}

    def save(self, key, entry):
        self.held[key] = entry
        super().save(key, entry)

    def load(self, key):
        return self.held.get(key) or super().load(key)


class MergesMetadata(Honest):
    def save(self, key, entry):
        before = self.load(key)
        super().save(key, evolve(entry, metadata={**(before.metadata if before else {}), **entry.metadata}))


class TakesEmptyForAbsent(Honest):
    def load(self, key):
        found = super().load(key)
        return found if found and found.data else None


class GoesByTheEntrysKey(Honest):
    def save(self, key, entry):
        super().save(entry.key or key, entry)


class ListsByPattern(Honest):
    def list(self, prefix=None):
        if prefix is None:
            return super().list()
        return [
            key
            for key in super().list()
            if len(key) >= len(prefix) and all(p in ("_", k) for p, k in zip(prefix, key, strict=False))
        ]


class AlwaysDeletes(Honest):
    def delete(self, key):
        super().delete(key)
        return True


class MeasuresTheBlob(Honest):
    def stat(self, key):
        found = super().stat(key)
        return found and evolve(found, size=len(self._read(key) or b""))


class KnowsWhenItWasAsked(Honest):
    def stat(self, key):
        found = super().stat(key)
        return found and evolve(found, last_modified=time.time())


class TakesKeysForPaths(Honest):
    def _path(self, key):
        return key.replace("/", "__").replace("\\", "__")

    def _read(self, key):
        return super()._read(self._path(key))

    def _write(self, key, blob):
        super()._write(self._path(key), blob)

    def _remove(self, key):
        return super()._remove(self._path(key))


class TakesAnyKey(Honest):
    def load(self, key):
        return super().load(key) if key else None


class ForgetsAtTheEnd(Honest):
    def close(self):
        for key in self.list():
            self.delete(key)


# -- many at once


class KeepsTheKeyOnItself(Honest):
    def save(self, key, entry):
        self.key = key
        time.sleep(0.0005)
        super().save(self.key, entry)


class KeepsMetadataApart(Honest):
    def save(self, key, entry):
        super().save(key, evolve(entry, metadata={}))
        time.sleep(0.001)
        super().save(f"{key}.metadata", evolve(entry, data=b""))

    def load(self, key):
        data = super().load(key)
        time.sleep(0.001)  # as long as a save takes, so that readers are not done before the first writer begins
        beside = super().load(f"{key}.metadata")
        return data and evolve(data, metadata=beside.metadata if beside else {})


class OverwritesTheNewer(Honest):
    def save_if(self, key, entry, version):
        self.save(key, entry)
        return self.load(key).version


class BringsBackTheDead(Honest):
    def save_if(self, key, entry, version):
        return super().save_if(key, entry, version if self.exists(key) else None)


class NumbersItsContent(Honest):
    def save_if(self, key, entry, version):
        there = self.load(key)
        if (there and there.version) != version:
            raise StorageConflictError(key)
        self.save(key, entry)
        return f"{hash(entry.data)}"


class LooksThenLeaps(Honest):
    def _swap(self, key, blob, tag):
        if self._read(key) != tag:
            return False
        time.sleep(0.002)
        self._write(key, blob)
        return True


class LooksThenLeapsAtTheSecond(LooksThenLeaps):
    def _swap(self, key, blob, tag):
        return super()._swap(key, blob, tag) if tag else Honest._swap(self, key, blob, tag)


class CountsIn32Bits(Honest):
    def increment(self, key, amount=1, expires_s=None):
        return super().increment(key, amount, expires_s) % 2**31


class CountsInTwoSteps(Honest):
    def increment(self, key, amount=1, expires_s=None):
        value = super().increment(key, 0)
        time.sleep(0.002)
        return super().increment(key, value + amount - super().increment(key, 0), expires_s)


class AddsOnlyTheFirst(Honest):
    def increment_many(self, additions):
        first = next(iter(additions), None)
        return {key: self.increment(key, amount if key == first else 0) for key, (amount, _) in additions.items()}


class RemembersForEver(Honest):
    def increment(self, key, amount=1, expires_s=None):
        return super().increment(key, amount)


class CountsInEntries(Honest):
    def increment(self, key, amount=1, expires_s=None):
        there = self.load(key)
        value = int(there.data if there else 0) + amount
        self.save(key, StorageEntry(key, str(value).encode()))
        return value


class CountsForItself(Honest):
    def __init__(self, config=None):
        super().__init__(config)
        self.sums = {}

    def increment(self, key, amount=1, expires_s=None):
        self.sums[key] = self.sums.get(key, 0) + amount
        return self.sums[key]


# -- locks


class LocksTwice(Honest):
    def acquire(self, key, timeout=None, *, expires_s=None):
        return LockHandle(key, "0", time.time(), time.time() + 30)


class NumbersLocksByKey(Honest):
    def acquire(self, key, timeout=None, *, expires_s=None):
        lock = super().acquire(key, timeout, expires_s=expires_s)
        return evolve(lock, lock_id="lock", acquired_at=time.monotonic())


class NeverLetsGo(Honest):
    def release(self, lock):
        return True


class TriesOnce(Honest):
    def acquire(self, key, timeout=None, *, expires_s=None):
        return super().acquire(key, 0, expires_s=expires_s)


class LetsAnybodyRelease(Honest):
    def release(self, lock):
        held, tag = self._record(f"~lock/{lock.key}", lock.key)
        return self._swap(f"~lock/{lock.key}", b"{}", tag) and bool(held)


class LocksNobodyOut(Honest):
    def acquire(self, key, timeout=None, *, expires_s=None):
        with suppress(TimeoutError):
            return super().acquire(key, 0, expires_s=expires_s)
        return LockHandle(key, "0", time.time(), time.time() + 30)


class LocksWithEntries(Honest):
    def acquire(self, key, timeout=None, *, expires_s=None):
        self.save(f"{key}.lock", StorageEntry("", b""))
        return super().acquire(key, timeout, expires_s=expires_s)


class LocksForItself(Honest):
    def __init__(self, config=None):
        super().__init__(config)
        self.own = KeyValueStorage()
        self.acquire, self.release, self.is_locked = self.own.acquire, self.own.release, self.own.is_locked


# -- failures


class IsEmptyWhenBroken(Honest):
    def load(self, key):
        with suppress(Exception):
            return super().load(key)
        return None


class ShowsWhatItCouldNotSave(Honest):
    def _write(self, key, blob):
        raise ValueError(blob)

    def _why(self, error):
        return str(error)


class ShowsWhatItHolds(Honest):
    def __repr__(self):
        return f"<{[self.load(key).data for key in self.list()]}>"


class ShowsItsSettings(Honest):
    def __repr__(self):
        return f"<{self.config.options}>"


class ClosesOnce(Honest):
    closed = 0

    def close(self):
        self.closed += 1
        if self.closed == 2:
            raise RuntimeError


class HasNoVersion(Honest):
    id = "acme.honest"


class HasAnotherId(Honest):
    id = "acme.another.v1"


class ImportsAPrivateName(Honest):
    __module__ = "imports_a_private_name"


FAKES: list[tuple[type, str]] = [
    (CannotStat, "test_store_has_contract_methods"),
    (KeepsText, "test_load_returns_saved_bytes"),
    (KeepsTheFirstBlock, "test_load_returns_large_entry"),
    (KeepsTextBesideIt, "test_load_returns_metadata"),
    (HandsOutItsOwn, "test_save_copies_the_entry"),
    (MergesMetadata, "test_save_replaces_the_entry"),
    (TakesEmptyForAbsent, "test_load_missing_entry_is_none"),
    (GoesByTheEntrysKey, "test_save_uses_the_given_key"),
    (ListsByPattern, "test_list_has_exact_prefix"),
    (AlwaysDeletes, "test_delete_returns_whether_entry_existed"),
    (MeasuresTheBlob, "test_stat_has_size_of_data"),
    (KnowsWhenItWasAsked, "test_stat_has_time_of_save"),
    (TakesKeysForPaths, "test_keys_of_any_text_are_distinct"),
    (TakesAnyKey, "test_key_invalid_raises_value_error"),
    (ForgetsAtTheEnd, "test_new_instance_loads_saved_entry"),
    (KeepsTheKeyOnItself, "test_save_in_threads_loses_no_write"),
    (KeepsMetadataApart, "test_load_during_save_is_consistent"),
    (OverwritesTheNewer, "test_conditional_save_keeps_newer_entry"),
    (BringsBackTheDead, "test_conditional_save_keeps_deletion"),
    (NumbersItsContent, "test_save_returns_next_version"),
    (LooksThenLeaps, "test_conditional_save_has_one_first_writer"),
    (LooksThenLeapsAtTheSecond, "test_conditional_save_loses_no_update"),
    (CountsIn32Bits, "test_counter_adds"),
    (CountsInTwoSteps, "test_counter_in_threads_loses_no_addition"),
    (AddsOnlyTheFirst, "test_counter_batch_equals_single_additions"),
    (RemembersForEver, "test_counter_expires"),
    (CountsInEntries, "test_counters_are_not_entries"),
    (CountsForItself, "test_instances_share_counters"),
    (LocksTwice, "test_lock_excludes_others"),
    (NumbersLocksByKey, "test_lock_handle_has_key_id_and_times"),
    (NeverLetsGo, "test_lock_released_is_free"),
    (TriesOnce, "test_lock_waiter_gets_released_lock"),
    (LetsAnybodyRelease, "test_lock_expires"),
    (LocksNobodyOut, "test_lock_serializes_threads"),
    (LocksWithEntries, "test_locks_are_not_entries"),
    (LocksForItself, "test_lock_excludes_other_instances"),
    (IsEmptyWhenBroken, "test_unreachable_backend_raises_storage_error"),
    (ShowsWhatItCouldNotSave, "test_error_shows_no_data"),
    (ShowsWhatItHolds, "test_repr_shows_no_data"),
    (ShowsItsSettings, "test_repr_shows_no_setting"),
    (ClosesOnce, "test_close_may_be_repeated"),
    (HasNoVersion, "test_id_follows_the_grammar"),
    (HasAnotherId, "test_id_equals_entry_point_name"),
    (ImportsAPrivateName, "test_package_imports_only_public_names"),
]
KIT = StorageConformance


class Storing(StorageConformance):
    persists = True

    @pytest.fixture
    def settings(self, tmp_path) -> Any:
        return {"backend": "file", "directory": tmp_path / "shelf", "retry_interval": "5ms"}

    @pytest.fixture
    def broken(self, make, tmp_path) -> Any:
        tmp_path.joinpath("file").write_text("no folder")
        return make(directory=tmp_path / "file" / "shelf")


class TestHonest(Storing):
    storage_class = Honest


for fake, _ in FAKES:
    name = f"Test{fake.__name__}"
    globals()[name] = type(name, (Storing,), {"storage_class": fake, "__module__": __name__})

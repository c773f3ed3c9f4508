"""Tests of entries, keys and metadata."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelmesh.contracts.storage import Storage, StorageEntry
from modelmesh_cdk.testing.storage.subject import Subject

ODD_KEYS = (
    "plain", "Plain", "with/slash", "with\\backslash", "/absolute", "../outside", "a/../b", "b", ".", "..", ".hidden",
    "a.b", "a_b", "a__b", "a/b", "a%2Fb", "a b", " a b", "a:b", "a*b?", "~tilde", "~~tilde", "~lock/plain", "ü", "u\u0308",
    "日本語", "🜁", "line\nbreak", "tab\t", "nul\0", "CON", "x" * 1000, "x" * 999 + "y", "'; DROP TABLE entries; --",
)  # fmt: skip
"""Keys that a store may confuse if it treats them as paths, patterns or code."""

_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8"), max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=4), inner, max_size=3),
    max_leaves=5,
)


class Entries(Subject):
    """Round trips, keys and metadata of entries."""

    def test_store_has_contract_methods(self, store: Any) -> None:
        """The store has all methods of the contract."""
        assert isinstance(store, Storage)

    def test_load_returns_saved_bytes(self, store: Any) -> None:
        """The saved bytes are loaded unchanged: empty, zeros, binary and text."""

        @settings(
            max_examples=self.examples, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(data=st.binary(max_size=300) | st.text(max_size=40).map(lambda text: text.encode("utf-8", "replace")))
        def round_trip(data: bytes) -> None:
            store.save("kit/bytes", StorageEntry("kit/bytes", data))
            loaded = store.load("kit/bytes")
            assert (type(loaded.data), loaded.data) == (bytes, data)

        round_trip()

    def test_load_returns_large_entry(self, store: Any) -> None:
        """An entry of one megabyte is loaded unchanged."""
        data = bytes(range(256)) * 4096
        store.save("kit/much", StorageEntry("kit/much", data))
        assert store.load("kit/much").data == data

    def test_load_returns_metadata(self, store: Any) -> None:
        """Metadata is loaded unchanged, including unknown names and ``None``."""

        @settings(
            max_examples=self.examples, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(metadata=st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), _PLAIN, max_size=4))
        def round_trip(metadata: dict[str, Any]) -> None:
            store.save("kit/metadata", StorageEntry("kit/metadata", b"x", metadata))
            assert dict(store.load("kit/metadata").metadata) == metadata

        round_trip()

    def test_save_copies_the_entry(self, store: Any) -> None:
        """The caller may modify the saved and the loaded objects without effect on the store."""
        mine: dict[str, Any] = {"list": [1]}
        store.save("kit/own", StorageEntry("kit/own", b"x", mine))
        mine["list"].append(2)
        store.load("kit/own").metadata["list"].append(3)
        assert store.load("kit/own").metadata == {"list": [1]}

    def test_save_replaces_the_entry(self, store: Any) -> None:
        """A second save replaces data and metadata completely."""
        store.save("kit/again", StorageEntry("kit/again", b"the first and longer one", {"first": True}))
        store.save("kit/again", StorageEntry("kit/again", b"second", {"second": True}))
        assert store.load("kit/again").data == b"second"
        assert dict(store.load("kit/again").metadata) == {"second": True}
        assert store.list() == ["kit/again"]

    def test_load_missing_entry_is_none(self, store: Any) -> None:
        """Empty data is a value. A missing entry is ``None``, and every method reports it as missing."""
        store.save("kit/empty", StorageEntry("kit/empty", b""))
        assert (store.load("kit/empty").data, store.exists("kit/empty"), store.stat("kit/empty").size) == (b"", True, 0)
        assert (store.load("kit/none"), store.exists("kit/none"), store.stat("kit/none")) == (None, False, None)

    def test_save_uses_the_given_key(self, store: Any) -> None:
        """The key is the one given to ``save``."""
        store.save("kit/here", StorageEntry("kit/elsewhere", b"x"))
        assert (store.load("kit/here").key, store.stat("kit/here").key) == ("kit/here", "kit/here")
        assert not store.exists("kit/elsewhere")

    @pytest.mark.parametrize("prefix", [None, "", "kit/", "kit/a", "kit/a/1", "kit_", "nothing"])
    def test_list_has_exact_prefix(self, store: Any, prefix: str | None) -> None:
        """The list has the keys with this exact prefix, sorted: no pattern, no folder, no deleted key."""
        keys = ["kit/b", "kit/a/2", "kit/a/1", "kit/ab", "kit", "KIT/a", "kitXa", "other"]
        for key in [*keys, "kit/a/gone"]:
            store.save(key, StorageEntry(key, b"x"))
        store.delete("kit/a/gone")
        assert store.list(prefix) == sorted(key for key in keys if key.startswith(prefix or ""))

    def test_delete_returns_whether_entry_existed(self, store: Any) -> None:
        """A delete returns ``True`` once, then ``False``, and affects no other entry."""
        for key in ("kit/gone", "kit/gone/too"):
            store.save(key, StorageEntry(key, b"x"))
        assert [store.delete("kit/gone"), store.delete("kit/gone"), store.delete("kit/never")] == [True, False, False]
        assert (store.load("kit/gone"), store.list()) == (None, ["kit/gone/too"])

    def test_stat_has_size_of_data(self, store: Any) -> None:
        """The size is that of the data, not of its stored form."""
        store.save("kit/size", StorageEntry("kit/size", b"a" * 5000, {"content_type": "text/plain", "more": "x" * 100}))
        assert (store.stat("kit/size").size, store.stat("kit/size").content_type) == (5000, "text/plain")

    def test_stat_has_time_of_save(self, store: Any) -> None:
        """The time is that of the last save in Unix seconds. A load does not change it."""
        before = time.time()
        store.save("kit/when", StorageEntry("kit/when", b"x"))
        first = store.stat("kit/when").last_modified
        assert before - 60 <= first <= time.time() + 60  # the store's clock may be another machine's
        store.load("kit/when")
        assert store.stat("kit/when").last_modified == first

    def test_keys_of_any_text_are_distinct(self, store: Any) -> None:
        """Any text is a key, and different texts are different keys: slashes, dots, case, accents, length, code."""
        for place, key in enumerate(ODD_KEYS):
            store.save(key, StorageEntry(key, f"entry {place}".encode()))
        assert {key: store.load(key).data for key in ODD_KEYS} == {k: f"entry {n}".encode() for n, k in enumerate(ODD_KEYS)}
        assert store.list() == sorted(ODD_KEYS)
        assert [store.delete(key) for key in ODD_KEYS] == [True] * len(ODD_KEYS)
        assert store.list() == []

    @pytest.mark.parametrize("key", ["", "half \ud800"])
    def test_key_invalid_raises_value_error(self, store: Any, key: str) -> None:
        """An empty key, or one that UTF-8 cannot encode, raises ``ValueError`` in every store."""
        for ask in (store.load, store.delete, store.stat, store.exists, lambda key: store.save(key, StorageEntry("x", b"x"))):
            with pytest.raises(ValueError, match=r"(?i)key"):
                ask(key)

    def test_new_instance_loads_saved_entry(self, make: Callable[..., Any]) -> None:
        """In a persistent store, a new instance finds the saved entries and not the deleted ones."""
        self.require("persists")
        first = make()
        for key in ("kit/kept", "kit/deleted"):
            first.save(key, StorageEntry(key, b"kept \x00\xff", {"a": 1}))
        first.delete("kit/deleted")
        getattr(first, "close", lambda: None)()
        second = make()
        assert second.list() == ["kit/kept"]
        assert second.load("kit/kept") == StorageEntry("kit/kept", b"kept \x00\xff", {"a": 1})

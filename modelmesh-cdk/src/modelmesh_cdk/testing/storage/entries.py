"""Entries go in and come out as they were, each under its own key."""

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
"""Keys that a store mixes up when it takes them for paths, patterns or words of a language."""

_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8"), max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=4), inner, max_size=3),
    max_leaves=5,
)


class Entries(Subject):
    """Round trips, keys, and what is said of an entry."""

    def test_store_keeps_the_contract(self, store: Any) -> None:
        """The store has all that the mesh calls."""
        assert isinstance(store, Storage)

    def test_any_bytes_come_back(self, store: Any) -> None:
        """Whatever bytes are saved, the same come back: none, zeros, what is no text, and what is."""

        @settings(
            max_examples=self.examples, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(data=st.binary(max_size=300) | st.text(max_size=40).map(lambda text: text.encode("utf-8", "replace")))
        def round_trip(data: bytes) -> None:
            store.save("kit/bytes", StorageEntry("kit/bytes", data))
            loaded = store.load("kit/bytes")
            assert (type(loaded.data), loaded.data) == (bytes, data)

        round_trip()

    def test_much_comes_back(self, store: Any) -> None:
        """An entry of a megabyte comes back whole."""
        data = bytes(range(256)) * 4096
        store.save("kit/much", StorageEntry("kit/much", data))
        assert store.load("kit/much").data == data

    def test_metadata_comes_back(self, store: Any) -> None:
        """Plain data beside the bytes comes back as it was, unknown names and ``None`` among it."""

        @settings(
            max_examples=self.examples, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(metadata=st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), _PLAIN, max_size=4))
        def round_trip(metadata: dict[str, Any]) -> None:
            store.save("kit/metadata", StorageEntry("kit/metadata", b"x", metadata))
            assert dict(store.load("kit/metadata").metadata) == metadata

        round_trip()

    def test_what_was_saved_stays(self, store: Any) -> None:
        """The caller may go on changing what it saved from and what it loaded; the store has its own."""
        mine: dict[str, Any] = {"list": [1]}
        store.save("kit/own", StorageEntry("kit/own", b"x", mine))
        mine["list"].append(2)
        store.load("kit/own").metadata["list"].append(3)
        assert store.load("kit/own").metadata == {"list": [1]}

    def test_later_takes_the_place_of_earlier(self, store: Any) -> None:
        """Saving again leaves nothing of what was there: data, metadata, or a longer rest."""
        store.save("kit/again", StorageEntry("kit/again", b"the first and longer one", {"first": True}))
        store.save("kit/again", StorageEntry("kit/again", b"second", {"second": True}))
        assert store.load("kit/again").data == b"second"
        assert dict(store.load("kit/again").metadata) == {"second": True}
        assert store.list() == ["kit/again"]

    def test_empty_is_not_absent(self, store: Any) -> None:
        """No bytes are a value; no entry is ``None``, and says so to every question."""
        store.save("kit/empty", StorageEntry("kit/empty", b""))
        assert (store.load("kit/empty").data, store.exists("kit/empty"), store.stat("kit/empty").size) == (b"", True, 0)
        assert (store.load("kit/none"), store.exists("kit/none"), store.stat("kit/none")) == (None, False, None)

    def test_entry_has_the_key_it_was_saved_under(self, store: Any) -> None:
        """The key that counts is the one given to ``save``."""
        store.save("kit/here", StorageEntry("kit/elsewhere", b"x"))
        assert (store.load("kit/here").key, store.stat("kit/here").key) == ("kit/here", "kit/here")
        assert not store.exists("kit/elsewhere")

    @pytest.mark.parametrize("prefix", [None, "", "kit/", "kit/a", "kit/a/1", "kit_", "nothing"])
    def test_list_goes_by_prefix(self, store: Any, prefix: str | None) -> None:
        """The list has the keys that begin so, sorted, to the letter: no pattern, no folder, nothing deleted."""
        keys = ["kit/b", "kit/a/2", "kit/a/1", "kit/ab", "kit", "KIT/a", "kitXa", "other"]
        for key in [*keys, "kit/a/gone"]:
            store.save(key, StorageEntry(key, b"x"))
        store.delete("kit/a/gone")
        assert store.list(prefix) == sorted(key for key in keys if key.startswith(prefix or ""))

    def test_delete_says_whether_it_was_there(self, store: Any) -> None:
        """Deleting is ``True`` once and ``False`` from then on, and takes nothing else along."""
        for key in ("kit/gone", "kit/gone/too"):
            store.save(key, StorageEntry(key, b"x"))
        assert [store.delete("kit/gone"), store.delete("kit/gone"), store.delete("kit/never")] == [True, False, False]
        assert (store.load("kit/gone"), store.list()) == (None, ["kit/gone/too"])

    def test_stat_is_of_the_data(self, store: Any) -> None:
        """Size is that of the data, not of what it takes to store it."""
        store.save("kit/size", StorageEntry("kit/size", b"a" * 5000, {"content_type": "text/plain", "more": "x" * 100}))
        assert (store.stat("kit/size").size, store.stat("kit/size").content_type) == (5000, "text/plain")

    def test_stat_knows_when(self, store: Any) -> None:
        """The time is that of the last save in Unix seconds; loading does not change it."""
        before = time.time()
        store.save("kit/when", StorageEntry("kit/when", b"x"))
        first = store.stat("kit/when").last_modified
        assert before - 60 <= first <= time.time() + 60  # the store's clock may be another machine's
        store.load("kit/when")
        assert store.stat("kit/when").last_modified == first

    def test_keys_stay_apart(self, store: Any) -> None:
        """Any text is a key, and two texts are two keys: slashes, dots, case, accents, length, what looks like code."""
        for place, key in enumerate(ODD_KEYS):
            store.save(key, StorageEntry(key, f"entry {place}".encode()))
        assert {key: store.load(key).data for key in ODD_KEYS} == {k: f"entry {n}".encode() for n, k in enumerate(ODD_KEYS)}
        assert store.list() == sorted(ODD_KEYS)
        assert [store.delete(key) for key in ODD_KEYS] == [True] * len(ODD_KEYS)
        assert store.list() == []

    @pytest.mark.parametrize("key", ["", "half \ud800"])
    def test_key_that_is_none_is_a_value_error(self, store: Any, key: str) -> None:
        """An empty key, or one that UTF-8 cannot write, is the caller's mistake in every store."""
        for ask in (store.load, store.delete, store.stat, store.exists, lambda key: store.save(key, StorageEntry("x", b"x"))):
            with pytest.raises(ValueError, match=r"(?i)key"):
                ask(key)

    def test_entry_is_there_for_the_next_one(self, make: Callable[..., Any]) -> None:
        """In a store that persists, a new instance finds what the last one left, and not what it deleted."""
        self.require("persists")
        first = make()
        for key in ("kit/kept", "kit/deleted"):
            first.save(key, StorageEntry(key, b"kept \x00\xff", {"a": 1}))
        first.delete("kit/deleted")
        getattr(first, "close", lambda: None)()
        second = make()
        assert second.list() == ["kit/kept"]
        assert second.load("kit/kept") == StorageEntry("kit/kept", b"kept \x00\xff", {"a": 1})

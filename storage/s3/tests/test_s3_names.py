"""Object names: unique, reversible, and with the prefixes of their keys."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelmesh_storage_s3.names import name_prefix, object_name

KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20) | st.text("a/.%~", min_size=1, max_size=8)


@given(KEYS)
def test_object_name_is_reversible_and_not_a_path(key: str) -> None:
    name = object_name(key)
    assert unquote(name) == key
    assert re.fullmatch(r"[A-Za-z0-9_~%./-]+", name)
    assert not [part for part in name.split("/") if part in ("", ".", "..")]


@given(KEYS, st.text("a/.%~", max_size=8))
def test_object_name_keeps_prefixes(prefix: str, rest: str) -> None:
    assert object_name(prefix + rest).startswith(name_prefix(prefix))


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("modelmesh/state", "modelmesh/state"),
        ("../x", "%2E./x"),
        ("/a//b/", "%2Fa/%2Fb%2F"),
        ("a b", "a%20b"),
        ("a.b", "a.b"),
        ("~lock/x", "~lock/x"),
    ],
)
def test_object_name(key: str, name: str) -> None:
    assert object_name(key) == name

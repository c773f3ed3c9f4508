"""Paths into JSON of a vendor."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from modelmesh_cdk.provider.mapping import found

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc0"), inner, max_size=3),
)


@given(data=JSON, path=st.lists(st.sampled_from(["a", "b", "0", "*"]), min_size=1, max_size=4).map(".".join))
def test_path_lookup_never_raises(data: Any, path: str) -> None:
    found(data, path)

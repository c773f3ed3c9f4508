"""Qualified IDs of resources."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh._engine.foundation.resource_ids import qualify, split


@pytest.mark.parametrize(
    ("resource_id", "parts"),
    [
        ("file-abc@openai", ("file-abc", "openai")),
        ("file-abc", ("file-abc", None)),
        ("file-abc@openai@mesh", ("file-abc@openai", "mesh")),
        ("@openai", ("@openai", None)),
        ("file-abc@", ("file-abc@", None)),
        ("", ("", None)),
        ("file-abc@team%40work", ("file-abc", "team@work")),
    ],
)
def test_split_last_suffix(resource_id: str, parts: tuple[str, str | None]) -> None:
    assert split(resource_id) == parts


@given(st.text(min_size=1), st.text(min_size=1))
def test_split_returns_what_qualify_joined(resource_id: str, provider_id: str) -> None:
    assert split(qualify(resource_id, provider_id)) == (resource_id, provider_id)

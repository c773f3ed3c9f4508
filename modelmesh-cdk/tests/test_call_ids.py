"""IDs of tool calls are spelled for a vendor, the same in call and result and every time."""

from __future__ import annotations

import copy
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from modelmesh_cdk.provider.call_ids import digest, rewrite_tool_ids


def spell(given: str) -> str:
    return given if re.fullmatch(r"[a-zA-Z0-9]{9}", given) else digest(given, 9)


@given(given=some.text(), length=some.integers(1, 40))
def test_digest_is_alphanumeric_and_stable(given: str, length: int) -> None:
    assert re.fullmatch(rf"[a-zA-Z0-9]{{{length}}}", digest(given, length))
    assert digest(given, length) == digest(given, length)


@given(names=some.sets(some.text(min_size=1), max_size=30))
def test_rewritten_ids_match_call_and_result(names: set[str]) -> None:
    messages: list[Any] = []
    for name in names:
        messages.append({"role": "assistant", "content": None, "tool_calls": [{"id": name, "type": "function"}]})
        messages.append({"role": "tool", "tool_call_id": name, "content": "x"})
    before = copy.deepcopy(messages)
    adapted: list[str] = []
    found = rewrite_tool_ids(messages, spell, adapted, "rewrite_tool_ids")
    assert messages == before
    assert [one["tool_calls"][0]["id"] for one in found[::2]] == [one["tool_call_id"] for one in found[1::2]]
    assert len({one["tool_call_id"] for one in found[1::2]}) == len(names)
    assert adapted == (["rewrite_tool_ids"] if any(spell(name) != name for name in names) else [])
    again: list[str] = []
    assert rewrite_tool_ids(found, spell, again, "rewrite_tool_ids") is found
    assert again == []


def test_ids_of_other_types_are_unchanged() -> None:
    for odd in (None, "text", [None, 7, {"role": "tool", "tool_call_id": None}, {"tool_calls": ["x", {"id": 3}]}]):
        assert rewrite_tool_ids(odd, spell, [], "rewrite_tool_ids") is odd

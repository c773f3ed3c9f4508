"""Tests of tool calls as servers of OpenAI's format send them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from modelmesh_cdk.testing.callers import Caller
from modelmesh_cdk.testing.dialects.samples import tool_answer
from modelmesh_cdk.testing.provider.subject import Subject
from modelmesh_cdk.testing.upstream import Script, Upstream, chunk

_OSLO, _ROME = '{"city": "Oslo"}', '{"city": "Rome"}'


def _piece(arguments: str, *, name: bool = True, **more: Any) -> dict[str, Any]:
    return {**more, "function": {**({"name": "weather"} if name else {}), "arguments": arguments}}


NUMBERED: Mapping[str, Sequence[Sequence[dict[str, Any]]]] = {
    "two calls under one index": [[_piece(_OSLO, index=0, id="a")], [_piece(_ROME, index=0, id="b")]],
    "two calls under one index in one chunk": [[_piece(_OSLO, index=0, id="a"), _piece(_ROME, index=0, id="b")]],
    "in pieces": [
        [_piece(_OSLO[:6], index=0, id="a")],
        [_piece(_OSLO[6:], index=0, name=False)],
        [_piece(_ROME[:6], index=0, id="b")],
        [_piece(_ROME[6:], index=0, name=False)],
    ],
    "no ID": [[_piece(_OSLO, index=0)], [_piece(_ROME, index=0)]],
    "index null": [[_piece(_OSLO, index=None, id="a")], [_piece(_ROME, index=None, id="b")]],
    "ID and name in each chunk": [
        [_piece(_OSLO[:6], index=0, id="a")],
        [_piece(_OSLO[6:], index=0, id="a")],
        [_piece(_ROME[:6], index=1, id="b")],
        [_piece(_ROME[6:], index=1, id="b")],
    ],
}
"""Two calls with the indices that servers send."""


class ToolCalls(Subject):
    """Each call has its own index and ID, whatever the server sends."""

    @pytest.mark.parametrize("pieces", NUMBERED.values(), ids=NUMBERED)
    def test_parallel_tool_calls_have_separate_indices(self, pieces: Sequence[Any], ask: Caller, upstream: Upstream) -> None:
        """A client that joins deltas by index gets two calls, each with its ID and its arguments."""
        self.require("supports_tools")
        self.require("supports_parallel_tool_calls")
        self.require("numbers_tool_calls")
        chunks = [chunk({"tool_calls": [dict(one) for one in some]}) for some in pieces]
        self.stream_reply(upstream, [*chunks, chunk({}, finish="tool_calls")])
        calls: dict[Any, dict[str, str]] = {}
        for one in ask.chunks():
            for choice in one.get("choices") or ():
                for piece in choice["delta"].get("tool_calls") or ():
                    call = calls.setdefault(piece["index"], {"id": "", "name": "", "arguments": ""})
                    call["id"] += piece.get("id") or ""
                    for name in ("name", "arguments"):
                        call[name] += piece["function"].get(name) or ""
        assert [(call["name"], call["arguments"]) for call in calls.values()] == [("weather", _OSLO), ("weather", _ROME)]
        assert len({call["id"] for call in calls.values()} - {""}) == len(calls)

    def test_message_with_tool_calls_has_content(self, ask: Caller, upstream: Upstream) -> None:
        """A message with tool calls only has the key ``content`` with ``None``, even if the server omits it."""
        self.require("supports_tools")
        self.require("numbers_tool_calls")
        body = tool_answer()
        del body["choices"][0]["message"]["content"]
        upstream.then(Script(200, self.wire.write_response(body)))
        message = ask.answer().body["choices"][0]["message"]
        assert message.get("content", "no content") is None

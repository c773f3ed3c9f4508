"""Providers with faulty tool calls."""

from __future__ import annotations

import json

from provider_fakes.honest import Honest

from modelmesh_cdk.provider.openai_stream import ChunkDecoder


class _Unnumbered(ChunkDecoder):
    def decode(self, event):
        given = None if event.data == b"[DONE]" else json.loads(event.data)
        chunks = super().decode(event)
        return [given] if chunks and given.get("choices") else chunks


class TrustsTheIndex(Honest):
    def _stream_decoder(self, request):
        return _Unnumbered(None, self._map_embedded_error)


class LeavesOutTheContent(Honest):
    def _decode_response(self, *given):
        answer = super()._decode_response(*given)
        for choice in answer.body.get("choices", ()):
            if choice["message"].get("tool_calls"):
                choice["message"].pop("content", None)
        return answer


FAKES: list[tuple[type, str]] = [
    (TrustsTheIndex, "test_parallel_tool_calls_have_separate_indices"),
    (LeavesOutTheContent, "test_message_with_tool_calls_has_content"),
]

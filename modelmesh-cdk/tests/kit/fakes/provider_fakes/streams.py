"""Providers with faulty streams."""

from __future__ import annotations

import json
from typing import Any

from provider_fakes.honest import Honest, Streams

from modelmesh.contracts.call import Limits
from modelmesh.errors import ProviderError
from modelmesh_cdk.provider.event_streams import HttpEventStream
from modelmesh_cdk.provider.openai_stream import ChunkDecoder


class StripsWords(Streams):
    def read(self, chunk, choice, delta):
        if delta.get("content"):
            delta["content"] = delta["content"].strip()
        return chunk


class RepeatsTheRole(Streams):
    def read(self, chunk, choice, delta):
        if delta:
            delta["role"] = "assistant"
        return chunk


class MakesUpIds(Streams):
    def read(self, chunk, choice, delta):
        return {**chunk, "id": f"chatcmpl-{len(delta)}"}


class AlwaysStops(Streams):
    def read(self, chunk, choice, delta):
        if choice.get("finish_reason") == "length":
            choice["finish_reason"] = "stop"
        return chunk


class TakesAFailureForTheEnd(Streams):
    def read(self, chunk, choice, delta):
        if choice.get("finish_reason") == "error":
            choice["finish_reason"] = "stop"
        return chunk


class SkipsUsage(Streams):
    def read(self, chunk, choice, delta):
        return None if chunk.get("usage") else chunk


class KeepsWhatItKnows(Streams):
    def read(self, chunk, choice, delta):
        delta.pop("of_the_delta", None)
        return chunk


class LosesTheNameOfACall(Streams):
    def read(self, chunk, choice, delta):
        for call in delta.get("tool_calls", ()):
            call["function"].pop("name", None)
        return chunk


class CountsCallsFromZeroEachTime(Streams):
    def read(self, chunk, choice, delta):
        for place, call in enumerate(delta.get("tool_calls", ())):
            call["index"] = place
        return chunk


class _SplitHere:
    """Parses each received block of bytes separately, as if the network never split an event."""

    def __init__(self, sse: Any) -> None:
        self._sse = sse

    def feed(self, data: bytes) -> Any:
        made = type(self._sse)()
        yield from made.feed(data)
        yield from made.end()

    def end(self) -> Any:
        return ()


class ReadsEachArrivalForItself(Honest):
    def send(self, call, model, limits):
        stream = super().send(call, model, limits)
        if call.stream:
            stream._reading._sse = _SplitHere(stream._reading._sse)
        return stream


class _LinesOnly:
    def __init__(self, sse: Any) -> None:
        self._sse, self._seen = sse, b""

    def feed(self, data: bytes) -> Any:
        self._seen += data
        whole, _, self._seen = self._seen.rpartition(b"\n\n")
        return list(self._sse.feed(whole + b"\n\n")) if whole else ()

    def end(self) -> Any:
        return ()


class WantsUnixLines(Honest):
    def send(self, call, model, limits):
        stream = super().send(call, model, limits)
        if call.stream:
            stream._reading._sse = _LinesOnly(stream._reading._sse)
        return stream


class InventsAFinish(Honest):
    def send(self, call, model, limits):
        stream = super().send(call, model, limits)
        return _Finished(stream) if call.stream else stream


class _Finished:
    def __init__(self, stream: Any) -> None:
        self._stream, self.headers, self.adapted = stream, stream.headers, stream.adapted

    def __iter__(self) -> Any:
        last = None
        for chunk in self._stream:
            last = (chunk.get("choices") and chunk["choices"][0].get("finish_reason")) or last
            yield chunk
        if last is None:
            yield {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}

    def close(self) -> None:
        self._stream.close()


class _Deaf(HttpEventStream):
    def __iter__(self) -> Any:
        try:
            yield from super().__iter__()
        except ProviderError as error:
            if error.status is not None:
                raise


class _HearsNoLastWord(ChunkDecoder):
    def decode(self, event):
        return () if event.data == b"[DONE]" else super().decode(event)


class WaitsForTheEndOfTheBody(Honest):
    def _stream_decoder(self, request):
        return _HearsNoLastWord(None, self._map_embedded_error)


class TakesACutForTheEnd(Honest):
    def send(self, call, model, limits):
        stream = super().send(call, model, limits)
        if call.stream:
            stream.__class__ = _Deaf
        return stream


class _TakesErrorsForChunks(ChunkDecoder):
    def decode(self, event):
        return () if b'"error"' in event.data else super().decode(event)


class SkipsErrors(Honest):
    def _stream_decoder(self, request):
        return _TakesErrorsForChunks(None, self._map_embedded_error)


class SkipsWhatItCannotRead(Honest):
    def _parse_sse_chunk(self, data):
        try:
            return json.loads(data)
        except ValueError:
            return None


class _ClosesOnce(HttpEventStream):
    closed = False

    def close(self) -> None:
        if self.closed:
            message = "closed already"
            raise RuntimeError(message)
        self.closed = True
        super().close()


class ClosesStreamsOnce(Honest):
    def send(self, call, model, limits):
        stream = super().send(call, model, limits)
        if call.stream:
            stream.__class__ = _ClosesOnce
        return stream


class _ReadsToTheEnd(HttpEventStream):
    def __iter__(self) -> Any:
        self._left = super().__iter__()
        return self._left

    def close(self) -> None:
        for _ in self._left:
            pass


class ReadsToTheEnd(Honest):
    """An early close first reads the rest of the stream."""

    def send(self, call, model, limits):
        stream = super().send(call, model, Limits(first_content=1.0, gap=1.0, total=1.0))
        if call.stream:
            stream.__class__ = _ReadsToTheEnd
        return stream


FAKES: list[tuple[type, str]] = [
    (StripsWords, "test_stream_text_is_complete"),
    (RepeatsTheRole, "test_stream_has_one_role"),
    (MakesUpIds, "test_stream_has_one_id"),
    (AlwaysStops, "test_stream_has_one_finish_reason"),
    (SkipsUsage, "test_stream_has_usage_once"),
    (KeepsWhatItKnows, "test_stream_keeps_unknown_fields"),
    (LosesTheNameOfACall, "test_stream_tool_calls_are_complete"),
    (CountsCallsFromZeroEachTime, "test_stream_parallel_tool_calls_keep_indices"),
    (ReadsEachArrivalForItself, "test_stream_split_anywhere_gives_same_chunks"),
    (WantsUnixLines, "test_stream_ignores_line_ends_and_comments"),
    (InventsAFinish, "test_stream_without_end_is_incomplete"),
    (WaitsForTheEndOfTheBody, "test_stream_ends_with_final_event"),
    (TakesACutForTheEnd, "test_stream_disconnect_is_a_failure"),
    (SkipsErrors, "test_stream_error_event_is_a_failure"),
    (TakesAFailureForTheEnd, "test_stream_with_failed_reason_is_a_failure"),
    (SkipsWhatItCannotRead, "test_stream_invalid_event_is_a_failure"),
    (ClosesStreamsOnce, "test_stream_close_may_be_repeated"),
    (ReadsToTheEnd, "test_stream_early_close_disconnects"),
]

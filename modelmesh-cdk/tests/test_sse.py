"""Server-sent events: the same events however the bytes are cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh_cdk import ServerSentEvent, SseDecoder
from modelmesh_cdk.wire.limits import MAX_EVENT, TooLargeError

LIMIT = 1 << 20


def decode(*pieces: bytes, limit: int = MAX_EVENT) -> list[ServerSentEvent]:
    decoder = SseDecoder(limit)
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.end()


def cut(body: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place for place in places if place <= len(body)), len(body)]
    return [body[a:b] for a, b in itertools.pairwise(edges)]


def message(*data: bytes) -> list[ServerSentEvent]:
    return [ServerSentEvent("message", one) for one in data]


LINES = st.sampled_from(
    [
        b"data: a",
        b"data:b",
        b"data",
        b"event: x",
        b"event:",
        b": comment",
        b"",
        b"",
        b"id: 5",
        b"retry: 10",
        b"data: \xc3\xa9 {}:",
        b"datax: 1",
        b"\xef\xbb\xbfdata: m",
    ]
)
ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])
STREAMS = st.builds(
    lambda mark, lines, last: mark + b"".join(line + end for line, end in lines) + last,
    st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"\xef\xbb", b"\xef"]), st.lists(st.tuples(LINES, ENDS), max_size=20), LINES,
)  # fmt: skip


@given(st.one_of(STREAMS, st.binary(max_size=200)), st.lists(st.integers(0, 300), max_size=12))
def test_sse_events_are_independent_of_splits(body: bytes, places: list[int]) -> None:
    whole = decode(body)
    assert decode(*cut(body, places)) == whole
    assert decode(*(body[place : place + 1] for place in range(len(body)))) == whole


@given(st.lists(st.tuples(LINES, ENDS), max_size=20))
def test_sse_decoder_accepts_every_line_end(lines: list[tuple[bytes, bytes]]) -> None:
    mixed = b""
    for line, end in lines:
        mixed += line + (b"\r\n" if mixed.endswith(b"\r") and not line else end)  # CR before LF would be one end, not two
    assert decode(mixed) == decode(b"".join(line + b"\n" for line, _ in lines))


@given(
    st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20), min_size=1, max_size=5)
)
def test_sse_decoder_reads_written_events(texts: list[str]) -> None:
    body = b"".join(b"data: " + text.encode() + b"\n\n" for text in texts)
    assert decode(body) == message(*(text.encode() for text in texts if text.encode().strip()))


@pytest.mark.parametrize(
    ("body", "events"),
    [
        (b"", []),
        (b"data: a\n\n", message(b"a")),
        (b"data:a\n\n", message(b"a")),
        (b"data:  a\n\n", message(b" a")),
        (b"data\n\n", []),
        (b"data:\n\ndata: a\n\n", message(b"a")),
        (b"data: \n\ndata: a\n\n", message(b"a")),
        (b"event: x\ndata:\ndata:\n\ndata: a\n\n", message(b"a")),
        (b"data:\ndata: b\n\n", message(b"\nb")),
        (b"data: a\ndata: b\n\ndata: c\n\n", message(b"a\nb", b"c")),
        (b'data: {"a": "b: c"}\n\n', message(b'{"a": "b: c"}')),
        (b": keep-alive\n\ndata: a\n\n: bye\n\n", message(b"a")),
        (b": x\ndata: a\n\n", message(b"a")),
        (b"event: ping\n\ndata: a\n\n", message(b"a")),
        (b"event: delta\ndata: a\n\ndata: b\n\n", [ServerSentEvent("delta", b"a"), *message(b"b")]),
        (b"data: a\nevent: late\n\n", [ServerSentEvent("late", b"a")]),
        (b"event:\ndata: a\n\n", message(b"a")),
        (b"event: \xff\ndata: a\n\n", [ServerSentEvent("�", b"a")]),
        (b"id: 1\nretry: 5\nunknown: x\ndata: a\n\n", message(b"a")),
        (b"\n\n\ndata: a\n\n\n\n", message(b"a")),
        (b"\xef\xbb\xbfdata: a\n\n", message(b"a")),
        (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", message(b"a")),
        (b"data: a\r\rdata: b\r\n\r\ndata: c\n\r\n", message(b"a", b"b", b"c")),
        (b"data: a\n", message(b"a")),
        (b"data: a\ndata: b", message(b"a")),
        (b"data: a", []),
        (b"data: a\n\ndata: [DONE]\n", message(b"a", b"[DONE]")),
        (b"\xef\xbb", []),
    ],
)
def test_sse_decoder_reads_fields(body: bytes, events: list[ServerSentEvent]) -> None:
    assert decode(body) == events


def test_sse_decoder_yields_complete_events_at_once() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"data: a\n") == []
    assert decoder.feed(b"\nda") == message(b"a")
    assert decoder.feed(b"ta: b\r\n\r") == message(b"b")  # not held back for the newline that may follow
    assert decoder.feed(b"\n") == []


def test_sse_event_at_the_limit_is_read() -> None:
    text = b"x" * (LIMIT - len("data: "))
    assert decode(b"data: " + text + b"\n\n", limit=LIMIT) == message(text)


@pytest.mark.parametrize("piece", [1 << 12, 1 << 20, 1 << 30])
@pytest.mark.parametrize(
    "body", [b"data: " + b"x" * LIMIT + b"\n\n", b"data: x\n" * (LIMIT // 8 + 1), b": " + b"x" * (2 * LIMIT)]
)
def test_sse_event_above_the_limit_raises(body: bytes, piece: int) -> None:
    with pytest.raises(TooLargeError, match="longer than 1 MiB"):
        decode(*(body[place : place + piece] for place in range(0, len(body), piece)), limit=LIMIT)


def test_sse_limit_is_per_event() -> None:
    event = b"data: " + b"x" * 1000 + b"\n\n"
    assert len(decode(*[event * 100] * 30)) == 3000


class Counted(bytearray):
    """A buffer that counts how many bytes each search has to look at."""

    looked = 0

    def find(self, sub: bytes, start: int = 0, *rest: int) -> int:  # type: ignore[override]
        Counted.looked += len(self) - start
        return super().find(sub, start, *rest)


def test_sse_decoder_reads_each_byte_a_few_times() -> None:
    Counted.looked = 0
    decoder, length = SseDecoder(), 200_000
    decoder._buffer = Counted()
    for _ in range(length):
        assert decoder.feed(b"x") == []
    assert Counted.looked <= 4 * length
    assert len(decoder._buffer) == length

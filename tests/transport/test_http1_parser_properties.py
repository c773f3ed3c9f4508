"""Properties of the response parser for every division into pieces, and for arbitrary bytes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from test_http1_parser import CHUNKED, COMPLETE, INVALID, LAST, OK, SURPLUS, TOLERATED

from modelmesh_cdk.transport.http1.response_parser import ResponseParser

METHODS = st.sampled_from(["GET", "POST", "HEAD"])
RESPONSES = [data for _, data, _, _ in COMPLETE.values()] + [data for data in INVALID.values() if len(data) < 1000]
RESPONSES += [data for data, _ in TOLERATED.values()]
FRAGMENTS = st.sampled_from(
    [OK, CHUNKED, LAST, b"\r\n", b"\n", b"Content-Length: 3\r\n", b"Connection: close\r\n", b"abc", b"3\r\nabc\r\n", *SURPLUS]
)
NOISE = st.lists(st.one_of(FRAGMENTS, st.binary(max_size=20)), max_size=12).map(b"".join)


def result(method: str, pieces: list[bytes]) -> tuple[object, ...]:
    parser = ResponseParser()
    parser.start(method)
    for piece in pieces:
        parser.feed(piece)
    state = (parser.status, parser.headers, b"".join(parser.body), parser.is_complete, parser.is_reusable)
    return (*state, str(parser.failure)) if parser.has_headers else (parser.is_reusable, parser.failure is None)


def divided(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[begin:end] for begin, end in pairwise(places)]


CUTS = st.lists(st.integers(min_value=0, max_value=2000), max_size=8)


@given(METHODS, st.sampled_from(RESPONSES), st.sampled_from([b"", *SURPLUS]), CUTS)
def test_division_of_a_response_changes_nothing(method: str, data: bytes, surplus: bytes, cuts: list[int]) -> None:
    assert result(method, divided(data + surplus, cuts)) == result(method, [data + surplus])


@given(METHODS, NOISE, CUTS)
def test_division_of_noise_changes_nothing(method: str, data: bytes, cuts: list[int]) -> None:
    assert result(method, divided(data, cuts)) == result(method, [data])


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=5), st.binary(min_size=1, max_size=10), CUTS)
def test_chunked_body_with_anything_after_it_is_not_reusable(chunks: list[bytes], surplus: bytes, cuts: list[int]) -> None:
    data = CHUNKED + b"\r\n" + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + LAST
    parser = ResponseParser()
    parser.start("POST")
    for piece in divided(data, cuts):
        parser.feed(piece)
    assert parser.is_reusable
    assert b"".join(parser.body) == b"".join(chunks)
    parser.start("POST")
    for piece in divided(data + surplus, cuts):
        parser.feed(piece)
    assert parser.is_complete
    assert b"".join(parser.body) == b"".join(chunks)
    assert not parser.is_reusable


@given(METHODS, st.binary(max_size=300), CUTS)
def test_random_bytes_leave_no_reusable_connection(method: str, data: bytes, cuts: list[int]) -> None:
    parser = ResponseParser()
    parser.start(method)
    for piece in divided(data, cuts):
        parser.feed(piece)
    parser.feed_eof()
    assert not parser.is_reusable
    assert parser.failure is not None or parser.is_complete

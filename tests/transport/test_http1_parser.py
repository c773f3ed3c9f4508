"""Where a response over HTTP/1.1 ends, to the byte, and which bytes are no response."""

from __future__ import annotations

import pytest

from modelmesh_cdk.transport.http1.response_parser import MAX_HEAD, MAX_HEADERS, MAX_INFORMATIONAL, ResponseParser

OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = OK + b"Content-Length: 5\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n"
LAST = b"0\r\n\r\n"

COMPLETE: dict[str, tuple[str, bytes, int, bytes]] = {
    "length": ("POST", LENGTH + b"\r\nhello", 200, b"hello"),
    "length zero": ("POST", OK + b"Content-Length: 0\r\n\r\n", 200, b""),
    "length with spaces": ("POST", OK + b"Content-Length:   5 \t\r\n\r\nhello", 200, b"hello"),
    "chunks": ("POST", CHUNKED + b"\r\n2\r\nhe\r\n3\r\nllo\r\n" + LAST, 200, b"hello"),
    "a body of line breaks": ("POST", LENGTH + b"\r\n\r\n\r\n\n", 200, b"\r\n\r\n\n"),
    "chunks of line breaks": ("POST", CHUNKED + b"\r\n4\r\n\r\n\r\n\r\n" + LAST, 200, b"\r\n\r\n"),
    "no chunk": ("POST", CHUNKED + b"\r\n" + LAST, 200, b""),
    "upper case": ("POST", OK + b"TRANSFER-ENCODING: CHUNKED\r\n\r\n5\r\nhello\r\n" + LAST, 200, b"hello"),
    "extensions": ("POST", CHUNKED + b'\r\n5;a=b;c="d"\r\nhello\r\n0;e\r\n\r\n', 200, b"hello"),
    "padded size": ("POST", CHUNKED + b"\r\n5  \r\nhello\r\n" + LAST, 200, b"hello"),
    "zeros before a size": ("POST", CHUNKED + b"\r\n0005\r\nhello\r\n000\r\n\r\n", 200, b"hello"),
    "trailers": ("POST", CHUNKED + b"\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-Other:\r\n\r\n", 200, b"hello"),
    "HEAD with a length": ("HEAD", LENGTH + b"\r\n", 200, b""),
    "HEAD with chunks": ("HEAD", CHUNKED + b"\r\n", 200, b""),
    "204": ("POST", b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "204 with a length": ("POST", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, b""),
    "304": ("POST", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, b""),
    "no reason": ("POST", b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, b""),
    "continue": ("POST", b"HTTP/1.1 100 Continue\r\n\r\n" + LENGTH + b"\r\nhello", 200, b"hello"),
    "early hints": (
        "POST",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 9\r\n\r\n"
        + LENGTH
        + b"\r\nhello",
        200,
        b"hello",
    ),
    "an offer of another protocol": (
        "POST",
        LENGTH + b"Upgrade: h2c\r\nConnection: Upgrade, Keep-Alive\r\n\r\nhello",
        200,
        b"hello",
    ),
    "an error": ("POST", b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nhello", 503, b"hello"),
}

INVALID: dict[str, bytes] = {
    "both framings": LENGTH + b"Transfer-Encoding: chunked\r\n\r\n" + LAST,
    "both framings, the other way round": CHUNKED + b"Content-Length: 5\r\n\r\n" + LAST,
    "two lengths": LENGTH + b"Content-Length: 6\r\n\r\nhello",
    "a list of lengths and a repetition": LENGTH + b"Content-Length: 5, 6\r\n\r\nhello",
    "lengths that differ in form": LENGTH + b"Content-Length: 05\r\n\r\nhello",
    "two signed lengths": OK + b"Content-Length: +5, +5\r\n\r\nhello",
    "LF alone and both framings": b"HTTP/1.1 200 OK\nContent-Length: 5\nTransfer-Encoding: chunked\n\n" + LAST,
    "a folded encoding and a length": LENGTH + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + LAST,
    "a folded status line": b"HTTP/1.1 200\r\n OK\r\nContent-Length: 0\r\n\r\n",
    "CR alone": b"HTTP/1.1 200 OK\rContent-Length: 5\r\rhello\r\n\r\n",
    "a list of lengths": OK + b"Content-Length: 5, 6\r\n\r\nhello",
    "a signed length": OK + b"Content-Length: +5\r\n\r\nhello",
    "a negative length": OK + b"Content-Length: -5\r\n\r\nhello",
    "a hexadecimal length": OK + b"Content-Length: 0x5\r\n\r\nhello",
    "digits of another script": OK + "Content-Length: ٥\r\n\r\nhello".encode(),
    "an empty length": OK + b"Content-Length:\r\n\r\nhello",
    "a huge length": OK + b"Content-Length: " + b"9" * 30 + b"\r\n\r\nhello",
    "two encodings": CHUNKED + b"Transfer-Encoding: chunked\r\n\r\n" + LAST,
    "gzip and chunked": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + LAST,
    "chunked and gzip": OK + b"Transfer-Encoding: chunked, gzip\r\n\r\n" + LAST,
    "identity": OK + b"Transfer-Encoding: identity\r\n\r\nhello",
    "an obscured encoding": OK + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + LAST,
    "a space after a name": OK + b"Transfer-Encoding : chunked\r\n\r\n" + LAST,
    "a space before the first header": OK + b" A: b\r\nContent-Length: 0\r\n\r\n",
    "a header without a name": OK + b": b\r\nContent-Length: 0\r\n\r\n",
    "a header without a colon": OK + b"A\r\nContent-Length: 0\r\n\r\n",
    "NUL in a value": OK + b"A: b\x00c\r\nContent-Length: 0\r\n\r\n",
    "CR in a value": OK + b"A: b\rc\r\nContent-Length: 0\r\n\r\n",
    "a line break before": b"\r\n" + LENGTH + b"\r\nhello",
    "HTTP/2": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/0.9": b"hello",
    "ICE": b"ICE/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "lower case": b"http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46",
    "SSH": b"SSH-2.0-OpenSSH\r\n",
    "no status": b"HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n",
    "status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "status zero": b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n",
    "switching protocols": b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    "switching protocols without a header": b"HTTP/1.1 101 Go\r\n\r\n",
    "a request": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "too long a head": OK + b"A: " + b"b" * MAX_HEAD + b"\r\n\r\n",
    "too long a head without an end": OK + b"A: " + b"b" * MAX_HEAD,
    "too many headers": OK + b"A: b\r\n" * (MAX_HEADERS + 1) + b"\r\n",
    "too many informational responses": b"HTTP/1.1 102 Processing\r\n\r\n" * (MAX_INFORMATIONAL + 1),
    "a chunk size that is no number": CHUNKED + b"\r\nzz\r\n",
    "a hexadecimal prefix": CHUNKED + b"\r\n0x5\r\nhello\r\n" + LAST,
    "a huge chunk": CHUNKED + b"\r\n" + b"F" * 17 + b"\r\n",
    "LF alone after a size": CHUNKED + b"\r\n5\nhello\r\n" + LAST,
    "LF alone after a chunk": CHUNKED + b"\r\n5\r\nhello\n" + LAST,
    "no line break after a chunk": CHUNKED + b"\r\n5\r\nhello" + LAST,
    "a longer chunk than its size": CHUNKED + b"\r\n4\r\nhello\r\n" + LAST,
    "LF alone at the end": CHUNKED + b"\r\n5\r\nhello\r\n0\r\n\n",
    "too long extensions": CHUNKED + b"\r\n5;" + b"a" * (MAX_HEAD + 4000),
    "too long trailers": CHUNKED + b"\r\n5\r\nhello\r\n0\r\nA: " + b"b" * (MAX_HEAD + 4000),
    "too many trailers": CHUNKED + b"\r\n5\r\nhello\r\n0\r\n" + b"A: b\r\n" * (MAX_HEADERS + 2),
    "a length among the trailers": CHUNKED + b"\r\n5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n",
}

TOLERATED: dict[str, tuple[bytes, dict[str, str]]] = {
    "LF alone": (b"HTTP/1.1 200 OK\nA: b\nContent-Length: 5\n\nhello", {"a": "b", "content-length": "5"}),
    "LF alone before CR LF in the body": (b"HTTP/1.1 200 OK\nContent-Length: 5\n\n\n\r\n\r\n", {"content-length": "5"}),
    "LF alone after a header": (OK + b"A: b\nContent-Length: 5\r\n\r\nhello", {"a": "b", "content-length": "5"}),
    "LF alone at the end of the head": (LENGTH + b"\nhello", {"content-length": "5"}),
    "LF alone before the end of the head": (OK + b"Content-Length: 5\n\r\nhello", {"content-length": "5"}),
    "LF alone in an informational head": (b"HTTP/1.1 100 Continue\n\n" + LENGTH + b"\r\nhello", {"content-length": "5"}),
    "two equal lengths": (LENGTH + LENGTH[len(OK) :] + b"\r\nhello", {"content-length": "5"}),
    "a list of equal lengths": (OK + b"Content-Length: 5, 5\r\n\r\nhello", {"content-length": "5"}),
    "a folded header": (OK + b"A: b \r\n\t c\r\nContent-Length: 5\r\n\r\nhello", {"a": "b c", "content-length": "5"}),
    "a folded encoding": (
        OK + b"Transfer-Encoding:\r\n chunked\r\n\r\n5\r\nhello\r\n" + LAST,
        {"transfer-encoding": "chunked"},
    ),
}

SURPLUS = [
    b"\n",
    b"\r",
    b"\r\n",
    b"\r\n\r\n",
    b"\n\r\n\r\n",
    b"\r\r\n\r\n",
    b"H",
    b"0",
    b"0\r\n\r\n",
    b"\x00",
    b" ",
    LENGTH + b"\r\nEVIL!",
]


def parsed(data: bytes, method: str = "POST", *, step: int = 0) -> ResponseParser:
    """Parse a response that comes in pieces of a size, 0 for one piece."""
    parser = ResponseParser()
    parser.start(method)
    for begin in range(0, len(data), step or len(data)):
        parser.feed(data[begin : begin + (step or len(data))])
    return parser


@pytest.mark.parametrize("step", [0, 1, 2, 3, 7])
@pytest.mark.parametrize("name", COMPLETE)
def test_complete_response_leaves_a_reusable_connection(name: str, step: int) -> None:
    method, data, status, body = COMPLETE[name]
    parser = parsed(data, method, step=step)
    assert parser.failure is None
    assert (parser.status, b"".join(parser.body)) == (status, body)
    assert parser.is_complete
    assert parser.is_reusable


@pytest.mark.parametrize("step", [0, 1, 5])
@pytest.mark.parametrize("name", COMPLETE)
def test_response_is_incomplete_before_its_last_byte(name: str, step: int) -> None:
    method, data, _, _ = COMPLETE[name]
    parser = parsed(data[:-1], method, step=step)
    assert not parser.is_complete
    assert not parser.is_reusable
    parser.feed_eof()
    assert parser.failure is not None
    assert not parser.is_reusable


@pytest.mark.parametrize("step", [0, 1, 5])
@pytest.mark.parametrize("surplus", SURPLUS)
@pytest.mark.parametrize("name", COMPLETE)
def test_surplus_byte_makes_the_connection_unusable(name: str, surplus: bytes, step: int) -> None:
    method, data, status, body = COMPLETE[name]
    parser = parsed(data + surplus, method, step=step)
    assert parser.failure is None
    assert (parser.status, b"".join(parser.body)) == (status, body)
    assert parser.is_complete
    assert not parser.is_reusable


@pytest.mark.parametrize("step", [0, 1, 5])
@pytest.mark.parametrize("name", INVALID)
def test_invalid_response_is_refused(name: str, step: int) -> None:
    parser = parsed(INVALID[name], step=step)
    assert parser.failure is not None
    assert not parser.is_complete
    assert not parser.is_reusable
    parser.feed(LENGTH + b"\r\nhello")
    assert not parser.is_complete


@pytest.mark.parametrize("step", [0, 1, 5])
@pytest.mark.parametrize("name", TOLERATED)
def test_harmless_deviation_is_read_and_the_connection_is_not_reused(name: str, step: int) -> None:
    data, headers = TOLERATED[name]
    parser = parsed(data, step=step)
    assert parser.failure is None
    assert (parser.status, parser.headers, parser.is_complete) == (200, headers, True)
    assert b"".join(parser.body) in {b"hello", b"\n\r\n\r\n"}
    assert not parser.is_reusable


@pytest.mark.parametrize(
    "head",
    [
        LENGTH + b"Connection: close\r\n",
        LENGTH + b"Connection: keep-alive, close\r\n",
        LENGTH + b"Connection: foo\r\nConnection: Close\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n",
    ],
)
def test_response_that_closes_the_connection(head: bytes) -> None:
    parser = parsed(head + b"\r\nhello")
    assert parser.failure is None
    assert b"".join(parser.body) == b"hello"
    assert parser.is_complete
    assert not parser.is_reusable


@pytest.mark.parametrize("head", [OK, b"HTTP/1.0 200 OK\r\n", OK + b"Connection: keep-alive\r\n"])
def test_body_without_framing_ends_with_the_connection(head: bytes) -> None:
    parser = parsed(head + b"\r\nhello\r\n\r\n", step=4)
    assert not parser.is_complete
    parser.feed_eof()
    assert parser.is_complete
    assert parser.failure is None
    assert b"".join(parser.body) == b"hello\r\n\r\n"
    assert not parser.is_reusable


def test_headers_have_lower_case_names_and_joined_values() -> None:
    data = OK + b"X-A: 1\r\nx-a:  2 \t\r\nX-Empty:\r\nX-Latin: caf\xe9\r\nContent-Length: 0\r\n\r\n"
    assert parsed(data).headers == {"x-a": "1, 2", "x-empty": "", "x-latin": "café", "content-length": "0"}


def test_headers_of_informational_responses_are_dropped() -> None:
    parser = parsed(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + LENGTH + b"\r\nhello")
    assert parser.headers == {"content-length": "5"}


def test_trailers_are_not_headers() -> None:
    assert parsed(CHUNKED + b"\r\n0\r\nX-Sum: 1\r\n\r\n").headers == {"transfer-encoding": "chunked"}


def test_pieces_before_a_broken_chunk_remain() -> None:
    parser = parsed(CHUNKED + b"\r\n5\r\nhello\r\nzz\r\n")
    assert parser.has_headers
    assert b"".join(parser.body) == b"hello"
    assert str(parser.failure) == "Invalid character in chunk size"


def test_bytes_before_a_request_make_the_connection_unusable() -> None:
    parser = ResponseParser()
    parser.feed(LENGTH + b"\r\nhello")
    assert not parser.is_reusable
    assert not parser.body


def test_responses_of_one_connection_are_independent() -> None:
    parser = ResponseParser()
    for name, (method, data, status, body) in COMPLETE.items():
        parser.start(method)
        assert not parser.is_reusable
        parser.feed(data)
        assert (parser.status, b"".join(parser.body), parser.is_reusable) == (status, body, True), name


def test_pieces_of_a_response_outlive_the_next_exchange() -> None:
    parser = parsed(LENGTH + b"\r\nhello")
    pieces = parser.body
    parser.start("POST")
    assert list(pieces) == [b"hello"]


def test_interrupt_in_a_callback_is_raised() -> None:
    class Interrupted(ResponseParser):
        def on_body(self, data: bytes) -> None:
            raise KeyboardInterrupt

    parser = Interrupted()
    parser.start("POST")
    with pytest.raises(KeyboardInterrupt):
        parser.feed(CHUNKED + b"\r\n5\r\nhello\r\n" + LAST)
    assert not parser.is_reusable


@pytest.mark.parametrize("surplus", [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL", b"\x00\xff"])
@pytest.mark.parametrize("broken", [False, True])
def test_error_that_the_caller_is_handling_is_not_the_failure(surplus: bytes, broken: bool) -> None:
    parser = ResponseParser()
    parser.start("POST")
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        parser.feed(head + (b"x" if broken else b"2\r\nab\r\n0\r\n\r\n") + surplus)
    assert (parser.is_complete, parser.is_reusable) == (not broken, False)
    assert type(parser.failure).__name__ == ("InvalidResponseError" if broken else "NoneType")

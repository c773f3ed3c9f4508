"""Odd HTTP from raw sockets: one server, and an application that records what it receives."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from protocol_server import connect, read_all, read_until, serve, wait_for

from modelmesh._engine.config.schema import ProxyLimitsSection, Seconds
from modelmesh_proxy.server.open_files import most_connections, raise_limit

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
GET = b"GET /plain HTTP/1.1\r\nHost: h\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


class RecordingApp:
    """Answers with what it received."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes, dict[bytes, bytes]]] = []
        self.left: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            event = await receive()
            if event["type"] == "http.disconnect":
                self.left.append(scope["raw_path"])
                return
            body, more = body + event["body"], event.get("more_body", False)
        self.seen.append((scope["method"], body, dict(scope["headers"])))
        answer = json.dumps({"path": scope["raw_path"].decode(), "body": body.decode("latin-1")}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(answer))]})
        await send({"type": "http.response.body", "body": answer})


@pytest.fixture(scope="module")
def app() -> RecordingApp:
    return RecordingApp()


@pytest.fixture(scope="module")
def port(app: RecordingApp) -> Iterator[int]:
    with serve(app) as port:
        yield port


def talk(port: int, *pieces: bytes) -> bytes:
    with connect(port) as sock:
        for piece in pieces:
            sock.sendall(piece)
        return read_all(sock)


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", answer)]


BAD_REQUEST = {
    "transfer-encoding and content-length": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "content-length and transfer-encoding": HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two content-lengths": HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    "two equal content-lengths": HEAD + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "signed content-length": HEAD + b"Content-Length: +3\r\n\r\nabc",
    "negative content-length": HEAD + b"Content-Length: -3\r\n\r\nabc",
    "list of content-lengths": HEAD + b"Content-Length: 3, 3\r\n\r\nabc",
    "hexadecimal content-length": HEAD + b"Content-Length: 0x3\r\n\r\nabc",
    "huge content-length": HEAD + b"Content-Length: 99999999999999999999999\r\n\r\nabc",
    "transfer-encoding twice": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "transfer-encoding not last": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "transfer-encoding with a space": HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "unknown transfer-encoding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "two transfer-encodings": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "transfer-encoding in HTTP/1.0": CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0") + b"0\r\n\r\n",
    "bare LF": HEAD.replace(b"\r\n", b"\n") + b"\n",
    "bare LF in a header": HEAD + b"X-A: a\nX-B: b\r\n\r\n",
    "bare CR in a header": HEAD + b"X-A: a\rX-B: b\r\n\r\n",
    "NUL in a header": HEAD + b"X-A: a\0b\r\n\r\n",
    "folded header": HEAD + b"X-A: a\r\n b\r\n\r\n",
    "space before the first header": b"POST / HTTP/1.1\r\n Host: h\r\n\r\n",
    "header without a name": HEAD + b": a\r\n\r\n",
    "header without a colon": HEAD + b"X-A\r\n\r\n",
    "chunk size with text": CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n",
    "chunk size with a sign": CHUNKED + b"+3\r\nabc\r\n0\r\n\r\n",
    "chunk size with 0x": CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n",
    "chunk size too large": CHUNKED + b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    "chunk longer than its size": CHUNKED + b"2\r\nabc\r\n0\r\n\r\n",
    "chunk with bare LF": CHUNKED + b"3\nabc\n0\n\n",
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "Host with a path": b"GET / HTTP/1.1\r\nHost: a/health?x\r\n\r\n",
    "list of Hosts": b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
    "fragment in the path": b"GET /v1/models#/health HTTP/1.1\r\nHost: h\r\n\r\n",
    "absolute URI of another host": b"GET http://evil/v1/models HTTP/1.1\r\nHost: h\r\n\r\n",
    "CONNECT": b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",
    "unknown method": b"BREW / HTTP/1.1\r\nHost: h\r\n\r\n",
    "unknown version": b"GET / HTTP/9.9\r\nHost: h\r\n\r\n",
    "no version": b"GET /\r\nHost: h\r\n\r\n",
    "byte above 127 in the path": b"GET /\xff HTTP/1.1\r\nHost: h\r\n\r\n",
    "TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64,
}


@pytest.mark.parametrize("case", BAD_REQUEST)
def test_an_ambiguous_request_gets_400_and_the_connection_closes(port: int, app: RecordingApp, case: str) -> None:
    before = len(app.seen)
    answer = talk(port, BAD_REQUEST[case])
    assert statuses(answer) == [400], answer
    assert b"connection: close" in answer
    assert b'"type":"invalid_request_error"' in answer
    assert b"x-request-id: req_" in answer
    assert len(app.seen) == before


@pytest.mark.parametrize(
    "case", ["transfer-encoding and content-length", "two Hosts", "bare LF in a header", "chunk size with text"]
)
def test_a_bad_request_after_a_good_one_in_the_same_segment(port: int, case: str) -> None:
    answer = talk(port, GET + BAD_REQUEST[case])
    assert statuses(answer) == [200, 400], answer


@pytest.mark.parametrize(
    "request_bytes",
    [
        HEAD + b"X-A: " + b"a" * 65536 + b"\r\n\r\n",
        HEAD + b"X-A: " + b"a" * 2**20,
        HEAD + b"X" * 2**20,
        HEAD + b"".join(b"X-%d: a\r\n" % number for number in range(200)) + b"\r\n",
        HEAD + b"".join(b"X-%d: a\r\n" % number for number in range(2000)) + b"\r\n",
        b"GET /" + b"a" * 2**17 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /?" + b"a" * 2**17,
        CHUNKED + b"0\r\n" + b"".join(b"X-%d: a\r\n" % number for number in range(200)) + b"\r\n",
    ],
    ids=["64 KiB", "1 MiB", "name", "200 lines", "2000 lines", "path", "query", "trailers"],
)
def test_a_large_head_gets_431(port: int, request_bytes: bytes) -> None:
    assert statuses(talk(port, request_bytes)) == [431]
    assert statuses(talk(port, GET + request_bytes)) == [200, 431]


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_an_offer_of_http2_keeps_the_body(port: int, app: RecordingApp, size: int) -> None:
    body = b"x" * size
    offer = HEAD + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    plain = offer + b"Content-Length: %d\r\n\r\n" % size + body
    chunked = offer + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (size, body)
    answer = talk(port, plain + chunked + plain, LAST)
    assert statuses(answer) == [200] * 4
    assert [seen[1] for seen in app.seen[-4:]] == [body] * 3 + [b""]
    assert b"upgrade" not in app.seen[-2][2]


def test_an_offer_of_http2_without_a_body(port: int, app: RecordingApp) -> None:
    offer = GET[:-2] + b"Connection: keep-alive, Upgrade\r\nUpgrade: h2c\r\n\r\n"
    assert statuses(talk(port, offer + LAST)) == [200, 200]
    assert app.seen[-2][2][b"connection"].strip() == b"keep-alive"


def test_an_offer_of_http2_hides_no_ambiguity(port: int) -> None:
    offer = HEAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert statuses(talk(port, offer)) == [400]


def test_pipelined_requests_are_answered_in_order(port: int) -> None:
    answer = talk(port, GET + HEAD + b"Content-Length: 3\r\n\r\nabc" + LAST)
    assert statuses(answer) == [200] * 3
    assert [json.loads(found)["path"] for found in re.findall(rb"\{.*?\}", answer)] == ["/plain", "/v1/chat/completions", "/last"]


def test_trailers_are_no_headers(port: int, app: RecordingApp) -> None:
    answer = talk(port, CHUNKED + b"3;ext=1\r\nabc\r\n0\r\nAuthorization: Bearer a\r\nX-Last: b\r\n\r\n" + LAST)
    assert statuses(answer) == [200, 200]
    for _, _, headers in app.seen[-2:]:
        assert b"authorization" not in headers
        assert b"x-last" not in headers
    assert app.seen[-2][1] == b"abc"


def test_bytes_may_arrive_in_small_pieces(port: int) -> None:
    request = HEAD + b"Content-Length: 3\r\nConnection: close\r\n\r\nabc"
    assert statuses(talk(port, *(request[start : start + 7] for start in range(0, len(request), 7)))) == [200]


def test_expect_continue(port: int) -> None:
    with connect(port) as sock:
        sock.sendall(HEAD + b"Content-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
        assert read_until(sock, b"\r\n\r\n").startswith(b"HTTP/1.1 100")
        sock.sendall(b"abc")
        assert statuses(read_all(sock)) == [200]


@pytest.mark.parametrize(
    "request_bytes", [b"GET / HTTP/1.0\r\n\r\n", LAST, b"GET http://h/a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"]
)
def test_unusual_but_valid(port: int, request_bytes: bytes) -> None:
    assert statuses(talk(port, request_bytes)) == [200]


def short_limits() -> ProxyLimitsSection:
    return ProxyLimitsSection(header_timeout=Seconds(0.3), body_timeout=Seconds(0.3), keep_alive=Seconds(0.3), connections=600)


@pytest.fixture(scope="module")
def impatient(app: RecordingApp) -> Iterator[int]:
    with serve(app, short_limits()) as port:
        yield port


def test_deadlines(impatient: int, app: RecordingApp) -> None:
    begun = {
        "head": (HEAD, [408]),
        "body": (HEAD + b"Content-Length: 9\r\n\r\nabc", [408]),
        "chunk": (CHUNKED + b"3\r\nabc\r\n", [408]),
        "second head": (GET + HEAD, [200, 408]),
        "second body": (GET + HEAD + b"Content-Length: 9\r\n\r\nabc", [200, 408]),
        "idle": (GET, [200]),
        "silent": (b"", []),
    }
    sockets = {name: connect(impatient) for name in begun}
    for name, sock in sockets.items():
        sock.sendall(begun[name][0])
    for name, sock in sockets.items():
        with sock:
            assert statuses(read_all(sock)) == begun[name][1], name
    assert app.left[-1] == b"/v1/chat/completions"


def test_dripping_sockets_do_not_delay_a_good_request(impatient: int) -> None:
    slow = [connect(impatient) for _ in range(500)]
    for sock in slow:
        sock.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHo")
    assert statuses(talk(impatient, LAST)) == [200]
    closed = 0
    for sock in slow:
        with sock:
            closed += statuses(read_all(sock)) == [408]
    assert closed == 500


def test_the_number_of_connections_is_limited(app: RecordingApp) -> None:
    with serve(app, ProxyLimitsSection(connections=2)) as port:
        first, second = connect(port), connect(port)
        first.sendall(GET)
        second.sendall(GET)
        read_until(first, b"}")
        read_until(second, b"}")
        refused = talk(port)
        assert statuses(refused) == [503]
        assert b"retry-after: 1" in refused
        first.close()
        second.close()
        wait_for(lambda: statuses(talk(port, LAST)) == [200])


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of open files")
def test_connections_leave_files_for_vendors(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    limits = {"soft": 300}
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limits["soft"], 5000))
    monkeypatch.setattr(resource, "setrlimit", lambda _, found: limits.update(soft=found[0]))
    assert most_connections(4096) == 150
    raise_limit()
    assert (limits["soft"], most_connections(4096), most_connections(10)) == (5000, 2500, 10)


def test_a_refusal_is_read_although_the_peer_still_sends(port: int) -> None:
    with connect(port) as sock:
        sock.sendall(HEAD + b"X-A: " + b"a" * 2**18)
        time.sleep(0.05)
        for _ in range(20):
            sock.sendall(b"a" * 2**16)
        assert statuses(read_until(sock, b"}}")) == [431]


def test_a_body_of_unknown_length_has_no_chunks_in_http_1_0() -> None:
    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await send({"type": "http.response.body", "body": b"b"})

    with serve(stream) as port:
        head, _, body = talk(port, b"GET / HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")
        assert (b"transfer-encoding" in head, b"connection: close" in head, body) == (False, True, b"ab")

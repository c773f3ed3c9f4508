"""A misbehaving vendor on raw sockets. The first part of the path selects the fault.

``python tests/faults/server.py`` listens on two loopback ports, plain and TLS, and prints them as one line of JSON.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import ssl
import struct
import sys
import tempfile
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import operation_ways
import shapes

Writer = asyncio.StreamWriter
SILENCE_S = 30.0


class Ask:
    """One request, which determines a correct answer."""

    def __init__(self, head: bytes, body: bytes) -> None:
        self.path = head.split(b" ", 2)[1].decode("latin-1")
        self.fault = self.path.split("/")[1]
        data = json.loads(body) if body[:1] == b"{" else {}
        self.kind = "application/json"
        self.stream = bool(data.get("stream"))
        self.tools = bool(data.get("tools"))

    @property
    def pieces(self) -> list[dict[str, Any]]:
        """The text of the answer, in two pieces."""
        first, second = ("FALL", "BACK") if self.fault == "good" else ("HELLO ", "WORLD")
        if not self.tools:
            return [{"content": first}, {"content": second}]
        call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "say", "arguments": f'{{"word": "{first}'}}
        return [{"tool_calls": [call]}, {"tool_calls": [{"index": 0, "function": {"arguments": f'{second}"}}'}}]}]

    @property
    def finish(self) -> str:
        """The finish reason."""
        return "tool_calls" if self.tools else "stop"

    def whole(self) -> bytes:
        """The answer as one JSON body."""
        first, second = self.pieces
        if self.tools:
            function = {"name": "say", "arguments": "".join(p["tool_calls"][0]["function"]["arguments"] for p in (first, second))}
            message: dict[str, Any] = {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
            }
        else:
            message = {"role": "assistant", "content": first["content"] + second["content"]}
        choice = {"index": 0, "message": message, "finish_reason": self.finish}
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        return json.dumps(
            {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
        ).encode()

    def chunks(self) -> list[bytes]:
        """The answer as events: role, first piece, second piece, finish, without ``[DONE]``."""
        return [event(one) for one in self.parts()]

    def parts(self) -> list[dict[str, Any]]:
        """The chunks of these events."""
        deltas = [({"role": "assistant"}, None), *((piece, None) for piece in self.pieces), ({}, self.finish)]
        return [chunk(delta, finish) for delta, finish in deltas]


class OtherAsk(Ask):
    """A request of another operation than chat completions."""

    def __init__(self, head: bytes, body: bytes) -> None:
        super().__init__(head, body)
        self.operation = self.path.partition("/v1/")[2]
        self._text = operation_ways.GOOD if self.fault == "good" else (operation_ways.FIRST, operation_ways.SECOND)
        self.kind = operation_ways.whole(self.operation, *self._text)[0]

    def whole(self) -> bytes:
        """The answer as one body."""
        return operation_ways.whole(self.operation, *self._text)[1]

    def parts(self) -> list[dict[str, Any]]:
        """The answer as events: beginning, first piece, second piece, end."""
        return operation_ways.events(*self._text)


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    """One chunk."""
    return {
        "id": "x",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def event(data: Any) -> bytes:
    """One event."""
    return b"data: " + (data if isinstance(data, bytes) else json.dumps(data).encode()) + b"\n\n"


DONE = event(b"[DONE]")
CANARY_ERROR = b'{"error": {"message": "the key sk-test-CANARY is wrong", "type": "test", "code": null}}'

# -- sending --------------------------------------------------------------------------------------------------------


async def head(w: Writer, status: int = 200, kind: str = "application/json", **headers: Any) -> None:
    """Send a status line and headers."""
    lines = [
        f"HTTP/1.1 {status} X",
        f"Content-Type: {kind}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    w.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    await w.drain()


async def plain(w: Writer, body: bytes, status: int = 200, kind: str = "application/json", **headers: Any) -> None:
    """Send a whole answer."""
    await head(w, status, kind, Content_Length=len(body), **headers)
    w.write(body)
    await w.drain()


async def events(w: Writer, *pieces: bytes, end: bool = True, kind: str = "text/event-stream", **headers: Any) -> None:
    """Send pieces of a chunked body."""
    await head(w, 200, kind, Transfer_Encoding="chunked", **headers)
    await more(w, *pieces)
    if end:
        w.write(b"0\r\n\r\n")
        await w.drain()


async def more(w: Writer, *pieces: bytes) -> None:
    """Send further pieces, each as a chunk of its own."""
    for piece in pieces:
        w.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        await w.drain()


async def good(w: Writer, ask: Ask) -> None:
    """Send a correct answer."""
    if ask.stream:
        await events(w, *ask.chunks(), DONE)
    else:
        await plain(w, ask.whole(), kind=ask.kind)


def reset(w: Writer) -> None:
    """Break the connection with RST."""
    sock = w.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    w.transport.abort()


async def silence(_: Writer) -> None:
    """Send nothing for a long time."""
    await asyncio.sleep(SILENCE_S)


# -- faults ---------------------------------------------------------------------------------------------------------

Fault = Callable[[Writer, Ask], Awaitable[None]]
BOTH, PLAIN, STREAM, TOOLS = "both", "plain", "stream", "tools"
FALLBACK, ANSWER, INTERRUPTED, EITHER = "fallback", "answer", "interrupted", "either"
FAULTS: dict[str, tuple[Fault, str, str]] = {"good": (good, BOTH, ANSWER)}


def fault(name: str, where: str = BOTH, expect: str = FALLBACK) -> Callable[[Fault], Fault]:
    """Register a fault with its applicable ways and the expected result for a client with a healthy fallback."""

    def register(function: Fault) -> Fault:
        FAULTS[name] = (function, where, expect)
        return function

    return register


def refusal(name: str, status: int, code: str | None = None, body: bytes | None = None, **headers: Any) -> None:
    """Register a fault that is an error status."""
    error = {"error": {"message": "no", "type": "test", "code": code}}

    async def answer(w: Writer, _: Ask) -> None:
        await plain(w, json.dumps(error).encode() if body is None else body, status, **headers)

    FAULTS[name] = (answer, BOTH, FALLBACK)


for _status in (401, 402, 403, 404, 408, 409, 425, 429, 500, 502, 503, 504, 520, 529):
    refusal(f"status-{_status}", _status)
refusal("status-500-canary", 500, body=CANARY_ERROR)
refusal("status-429-html", 429, body=b"<html>slow down</html>")
refusal("status-429-1s", 429, Retry_After="1")
refusal("status-429-hour", 429, Retry_After="3600")
refusal("status-429-nonsense", 429, Retry_After="soon")
refusal("status-429-negative", 429, Retry_After="-1")
refusal("status-503-delay", 503, Retry_After="5")
for _code in (
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
):
    refusal(f"quota-{_code}", 429, _code)
refusal("redirect-elsewhere", 302, Location="http://127.0.0.2:9/v1/chat/completions")
refusal("redirect-loop", 307, Location="/redirect-loop/v1/chat/completions")


@fault("reset-at-once")
async def _(w: Writer, _ask: Ask) -> None:
    reset(w)


@fault("close-at-once")
async def _(w: Writer, _ask: Ask) -> None:
    w.close()


@fault("half-close")
async def _(w: Writer, _ask: Ask) -> None:
    w.write_eof()
    await silence(w)


@fault("reset-in-headers")
async def _(w: Writer, _ask: Ask) -> None:
    w.write(b"HTTP/1.1 200 OK\r\nContent-Ty")
    await w.drain()
    await asyncio.sleep(0.02)
    reset(w)


@fault("no-headers")
async def _(w: Writer, _ask: Ask) -> None:
    await silence(w)


@fault("header-drip")
async def _(w: Writer, _ask: Ask) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Long: " + b"x" * 500:
        w.write(bytes([byte]))
        await w.drain()
        await asyncio.sleep(0.1)


@fault("status-line-garbage")
async def _(w: Writer, _ask: Ask) -> None:
    w.write(b"\x16\x03\x01\x02 nonsense\r\n\r\n")
    await w.drain()


@fault("header-64k", expect=EITHER)
async def _(w: Writer, ask: Ask) -> None:
    await plain(w, ask.whole(), X_Big="x" * 65_536) if not ask.stream else await events(
        w, *ask.chunks(), DONE, X_Big="x" * 65_536
    )


@fault("headers-1000", expect=EITHER)
async def _(w: Writer, ask: Ask) -> None:
    extra = {f"X_{n}": "y" for n in range(1000)}
    await plain(w, ask.whole(), **extra) if not ask.stream else await events(w, *ask.chunks(), DONE, **extra)


@fault("header-endless")
async def _(w: Writer, _ask: Ask) -> None:
    w.write(b"HTTP/1.1 200 OK\r\nX-Big: ")
    for _n in range(400):
        w.write(b"x" * 65_536)
        await w.drain()


@fault("bare-lf", expect=EITHER)
async def _(w: Writer, ask: Ask) -> None:
    body = ask.whole() if not ask.stream else b"".join([*ask.chunks(), DONE])
    kind = b"text/event-stream" if ask.stream else b"application/json"
    w.write(b"HTTP/1.1 200 OK\nContent-Type: %s\nContent-Length: %d\n\n%s" % (kind, len(body), body))
    await w.drain()


@fault("two-lengths")
async def _(w: Writer, ask: Ask) -> None:
    body = ask.whole()
    w.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Length: 3\r\n\r\n%s" % (len(body), body))
    await w.drain()


@fault("chunk-size-huge")
async def _(w: Writer, ask: Ask) -> None:
    await head(w, 200, "text/event-stream" if ask.stream else "application/json", Transfer_Encoding="chunked")
    w.write(b"ffffffffffffffffffff\r\nx")
    await w.drain()
    await silence(w)


@fault("chunk-size-garbage")
async def _(w: Writer, ask: Ask) -> None:
    await head(w, 200, "text/event-stream" if ask.stream else "application/json", Transfer_Encoding="chunked")
    w.write(b"zz\r\nxx\r\n")
    await w.drain()


@fault("interim-flood")
async def _(w: Writer, _ask: Ask) -> None:
    for _n in range(20_000):
        w.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        await w.drain()
        await asyncio.sleep(0.001)


@fault("endless-body")
async def _(w: Writer, ask: Ask) -> None:
    await head(w, 200, "text/event-stream" if ask.stream else "application/json", Transfer_Encoding="chunked")
    while True:
        await more(w, b" " * 65_536)


@fault("slow-endless-body")
async def _(w: Writer, ask: Ask) -> None:
    await head(w, 200, "text/event-stream" if ask.stream else "application/json", Transfer_Encoding="chunked")
    while True:
        await more(w, b" ")
        await asyncio.sleep(0.1)


@fault("wrong-encoding")
async def _(w: Writer, ask: Ask) -> None:
    body = ask.whole() if not ask.stream else b"".join([*ask.chunks(), DONE])
    await plain(w, body, kind="text/event-stream" if ask.stream else ask.kind, Content_Encoding="gzip")


@fault("unknown-encoding")
async def _(w: Writer, ask: Ask) -> None:
    body = ask.whole() if not ask.stream else b"".join([*ask.chunks(), DONE])
    await plain(w, body, kind="text/event-stream" if ask.stream else "application/json", Content_Encoding="zstd")


@fault("gzip", expect=ANSWER)
async def _(w: Writer, ask: Ask) -> None:
    body = ask.whole() if not ask.stream else b"".join([*ask.chunks(), DONE])
    await plain(w, gzip.compress(body), kind="text/event-stream" if ask.stream else ask.kind, Content_Encoding="gzip")


@fault("gzip-cut", PLAIN)
async def _(w: Writer, ask: Ask) -> None:
    await plain(w, gzip.compress(ask.whole())[:-12], kind=ask.kind, Content_Encoding="gzip")


@fault("gzip-bomb")
async def _(w: Writer, ask: Ask) -> None:
    await plain(w, BOMB, kind="text/event-stream" if ask.stream else ask.kind, Content_Encoding="gzip")


def _bomb() -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return b"".join([engine.compress(b" " * 1_000_000) for _ in range(400)]) + engine.flush()


@fault("html-200")
async def _(w: Writer, _ask: Ask) -> None:
    await plain(w, b"<html>hello</html>", kind="text/html")


@fault("error-200")
async def _(w: Writer, _ask: Ask) -> None:
    await plain(w, CANARY_ERROR)


@fault("empty-200")
async def _(w: Writer, _ask: Ask) -> None:
    await plain(w, b"")


for _name, _body in {
    "choices-empty": b'{"id": "x", "choices": []}',
    "choices-missing": b'{"id": "x"}',
    "choices-null": b'{"id": "x", "choices": null}',
    "json-list": b"[]",
    "json-string": b'"hello"',
    "json-cut": b'{"id": "x", "choices": [{"ind',
    "json-nan": b'{"id": "x", "choices": [{"index": NaN}]}',
    "json-deep": b"[" * 10_000,
    "json-two": b"{} {}",
    "bad-utf8": b'{"id": "x", "choices": [{"message": {"content": "\xff\xfe"}}]}',
}.items():

    async def _send(w: Writer, _ask: Ask, body: bytes = _body) -> None:
        await plain(w, body)

    FAULTS[_name] = (_send, PLAIN, FALLBACK)


@fault("body-short", PLAIN)
async def _(w: Writer, ask: Ask) -> None:
    await head(w, kind=ask.kind, Content_Length=len(ask.whole()) + 10)
    w.write(ask.whole())
    await w.drain()
    w.close()


@fault("body-reset", PLAIN)
async def _(w: Writer, ask: Ask) -> None:
    await head(w, kind=ask.kind, Content_Length=len(ask.whole()))
    w.write(ask.whole()[:20])
    await w.drain()
    await asyncio.sleep(0.02)
    reset(w)


@fault("body-stall", PLAIN)
async def _(w: Writer, ask: Ask) -> None:
    await head(w, kind=ask.kind, Content_Length=len(ask.whole()))
    w.write(ask.whole()[:20])
    await w.drain()
    await silence(w)


@fault("body-200-mib", PLAIN)
async def _(w: Writer, _ask: Ask) -> None:
    await head(w, Content_Length=200 * 1024 * 1024)
    for _n in range(200):
        w.write(b" " * 1024 * 1024)
        await w.drain()


# -- streams --------------------------------------------------------------------------------------------------------

ERROR_EVENT = event(CANARY_ERROR)
BAD_JSON, BAD_UTF8 = event(b"{nope"), event(b'{"choices": [{"delta": {"content": "\xff"}}]}')
BEFORE: dict[str, Callable[[Ask], list[bytes]]] = {
    "stream-empty": lambda _: [],
    "stream-only-done": lambda _: [DONE],
    "stream-role-only": lambda ask: ask.chunks()[:1],
    "stream-role-done": lambda ask: [*ask.chunks()[:1], DONE],
    "stream-error-first": lambda _: [ERROR_EVENT],
    "stream-role-error": lambda ask: [*ask.chunks()[:1], ERROR_EVENT],
    "stream-bad-json-first": lambda _: [BAD_JSON],
    "stream-bad-utf8-first": lambda _: [BAD_UTF8],
    "stream-list-event": lambda _: [event(b"[1]")],
    "stream-nan": lambda _: [event(b'{"choices": [{"index": 0, "delta": {"content": NaN}}]}')],
    "stream-deep": lambda _: [event(b"[" * 10_000)],
    "stream-line-100-mb": lambda _: [b"data: " + b"x" * 1_000_000] * 100,
    "stream-comments-only": lambda _: [b": hello\n\n"] * 50,
}
AFTER: dict[str, Callable[[Ask], list[bytes]]] = {
    "text-clean-end": lambda ask: ask.chunks()[:2],
    "text-done-no-finish": lambda ask: [*ask.chunks()[:2], DONE],
    "text-error": lambda ask: [*ask.chunks()[:2], ERROR_EVENT],
    "text-bad-json": lambda ask: [*ask.chunks()[:2], BAD_JSON],
    "text-bad-utf8": lambda ask: [*ask.chunks()[:2], BAD_UTF8],
    "text-long-line": lambda ask: [*ask.chunks()[:2], b"data: " + b"x" * 2_000_000],
    "text-cut-event": lambda ask: [*ask.chunks()[:2], ask.chunks()[2][:20]],
}
WHOLE: dict[str, Callable[[Ask], list[bytes]]] = {
    "finish-no-done": lambda ask: ask.chunks(),
    "two-done": lambda ask: [*ask.chunks(), DONE, DONE],
    "data-after-done": lambda ask: [*ask.chunks(), DONE, event(chunk({"content": "MORE"}))],
    "one-byte-chunks": lambda ask: [bytes([byte]) for byte in b"".join([*ask.chunks(), DONE])],
    "bom": lambda ask: [b"\xef\xbb\xbf", *ask.chunks(), DONE],
    "line-ends-mixed": lambda ask: [
        piece.replace(b"\n", ending)
        for piece, ending in zip([*ask.chunks(), DONE], (b"\r\n", b"\r", b"\n", b"\r\n", b"\r"), strict=True)
    ],
    "no-space-after-colon": lambda ask: [piece.replace(b"data: ", b"data:") for piece in [*ask.chunks(), DONE]],
    "comments-and-fields": lambda ask: [
        b": hi\nid: 7\nretry: 10\n\n",
        *(b"event: message\n" + piece for piece in ask.chunks()),
        DONE,
    ],
    "one-chunk": lambda ask: [b"".join([*ask.chunks(), DONE])],
}
for _table, _expect in ((BEFORE, FALLBACK), (AFTER, INTERRUPTED), (WHOLE, ANSWER)):
    for _name, _make in _table.items():

        async def _stream(w: Writer, ask: Ask, make: Callable[[Ask], list[bytes]] = _make) -> None:
            await events(w, *make(ask))

        FAULTS[_name] = (_stream, STREAM, _expect)


for _name, (_expect, _change) in shapes.PLAIN_SHAPES.items():

    async def _shaped(w: Writer, ask: Ask, change: Callable[[Any], Any] = _change) -> None:
        await plain(w, json.dumps(change(json.loads(ask.whole()))).encode())

    FAULTS[_name] = (_shaped, PLAIN, _expect)

for _table, _where in ((shapes.STREAM_SHAPES, STREAM), (shapes.TOOL_SHAPES, TOOLS)):
    for _name, (_expect, _change) in _table.items():

        async def _shaped_stream(w: Writer, ask: Ask, change: Callable[[Any], Any] = _change) -> None:
            await events(w, *shapes.events(change(ask.parts())), DONE)

        FAULTS[_name] = (_shaped_stream, _where, _expect)


@fault("stream-json-created", STREAM)
async def _(w: Writer, ask: Ask) -> None:
    await plain(w, ask.whole(), 201)


@fault("stream-json-accepted", STREAM)
async def _(w: Writer, _ask: Ask) -> None:
    await plain(w, b"{}", 202)


@fault("stream-created", STREAM, ANSWER)
async def _(w: Writer, ask: Ask) -> None:
    await plain(w, b"".join([*ask.chunks(), DONE]), 201, kind="text/event-stream")


@fault("finish-then-open", STREAM, ANSWER)
async def _(w: Writer, ask: Ask) -> None:
    await events(w, *ask.chunks(), end=False)
    await silence(w)


@fault("stream-quiet-flood", STREAM)
async def _(w: Writer, ask: Ask) -> None:
    await events(w, *ask.chunks()[:1] * 40_000)


@fault("json-of-brackets", PLAIN)
async def _(w: Writer, _ask: Ask) -> None:
    await plain(w, b'{"x": [' + b"[]," * 8_000_000 + b"1]}")


@fault("two-answers", expect=ANSWER)
async def _(w: Writer, ask: Ask) -> None:
    await good(w, ask)
    await plain(w, ask.whole().replace(b"HELLO", b"EVIL "))
    await silence(w)


@fault("stream-json-body", STREAM)
async def _(w: Writer, ask: Ask) -> None:
    await plain(w, ask.whole())


@fault("stream-drip", STREAM)
async def _(w: Writer, _ask: Ask) -> None:
    await events(w, end=False)
    while True:
        await more(w, b": keep-alive\n\n")
        await asyncio.sleep(0.1)


@fault("stream-role-drip", STREAM)
async def _(w: Writer, ask: Ask) -> None:
    await events(w, *ask.chunks()[:1], end=False)
    while True:
        await more(w, b": keep-alive\n\n")
        await asyncio.sleep(0.1)


@fault("stream-silent", STREAM)
async def _(w: Writer, _ask: Ask) -> None:
    await events(w, end=False)
    await silence(w)


@fault("text-reset", STREAM, INTERRUPTED)
async def _(w: Writer, ask: Ask) -> None:
    await events(w, *ask.chunks()[:2], end=False)
    await asyncio.sleep(0.05)
    reset(w)


@fault("text-close", STREAM, INTERRUPTED)
async def _(w: Writer, ask: Ask) -> None:
    await events(w, *ask.chunks()[:2], end=False)
    w.close()


@fault("text-stall", STREAM, INTERRUPTED)
async def _(w: Writer, ask: Ask) -> None:
    await events(w, *ask.chunks()[:2], end=False)
    await silence(w)


@fault("text-drip-for-ever", STREAM, INTERRUPTED)
async def _(w: Writer, ask: Ask) -> None:
    await events(w, *ask.chunks()[:2], end=False)
    while True:
        await more(w, b": keep-alive\n\n")
        await asyncio.sleep(0.1)


@fault("done-then-open", STREAM, ANSWER)
async def _(w: Writer, ask: Ask) -> None:
    await events(w, *ask.chunks(), DONE, end=False)
    await silence(w)


@fault("gzip-stream-cut", STREAM, INTERRUPTED)
async def _(w: Writer, ask: Ask) -> None:
    engine = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    body = b"".join(engine.compress(piece) + engine.flush(zlib.Z_SYNC_FLUSH) for piece in ask.chunks()[:2])
    await events(w, body, Content_Encoding="gzip")


@fault("keep-alive-stale", expect=ANSWER)
async def _(w: Writer, ask: Ask) -> None:
    await good(w, ask)
    w.close()


@fault("utf8-over-chunks", STREAM, ANSWER)
async def _(w: Writer, ask: Ask) -> None:
    body = b"".join([event(chunk({"role": "assistant", "note": "grüße 😀"})), *ask.chunks()[1:], DONE])
    place = body.index(b"\xc3") + 1 if b"\xc3" in body else 10
    await events(w, body[:place], body[place:])


# -- uploads --------------------------------------------------------------------------------------------------------

UPLOADS: dict[str, Callable[[asyncio.StreamReader, Writer], Awaitable[None]]] = {}
"""Faults before the end of a request body."""


def upload(name: str) -> Callable[[Any], Any]:
    """Register a fault in the middle of a request body."""

    def register(function: Any) -> Any:
        UPLOADS[name] = function
        FAULTS[name] = (good, "uploads", FALLBACK)
        return function

    return register


@upload("upload-refused")
async def _(reader: asyncio.StreamReader, w: Writer) -> None:
    await plain(w, CANARY_ERROR, 401, Connection="close")
    while await reader.read(1 << 18):
        pass


@upload("upload-refused-and-closed")
async def _(reader: asyncio.StreamReader, w: Writer) -> None:
    await reader.readexactly(1 << 18)
    await plain(w, CANARY_ERROR, 413, Connection="close")


@upload("upload-reset")
async def _(reader: asyncio.StreamReader, w: Writer) -> None:
    await reader.readexactly(1 << 18)
    reset(w)


@upload("upload-stall")
async def _(reader: asyncio.StreamReader, w: Writer) -> None:
    await reader.readexactly(1 << 18)
    await silence(w)


BOMB = b""

# -- the server -----------------------------------------------------------------------------------------------------


async def handle(reader: asyncio.StreamReader, w: Writer) -> None:
    """Serve one connection."""
    try:
        while True:
            header = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (int(line.split(b":")[1]) for line in header.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
            )
            wanted = header.split(b"/", 2)[1].decode("latin-1")
            if wanted in UPLOADS:
                await UPLOADS[wanted](reader, w)
                return
            kind = Ask if header.split(b" ", 2)[1].endswith(b"/chat/completions") else OtherAsk
            ask = kind(header, await reader.readexactly(length))
            function, _, _ = FAULTS[ask.fault]
            watch = asyncio.ensure_future(
                reader.read(1)
            )  # clients do not pipeline: a byte or the end means that the client disconnected
            work = asyncio.ensure_future(function(w, ask))
            await asyncio.wait({watch, work}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()
                return
            await work
            if w.is_closing():
                return
            if watch.done() or ask.fault not in KEEP_ALIVE:
                watch.cancel()
                return
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
    except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
        pass
    finally:
        w.close()


KEEP_ALIVE = frozenset({"good"})


async def silent_tls(reader: asyncio.StreamReader, w: Writer) -> None:
    """Receive the first bytes of a handshake and send nothing."""
    try:
        await reader.read(1)
        await asyncio.sleep(SILENCE_S)
    except (ConnectionError, asyncio.CancelledError):
        pass
    finally:
        w.close()


async def main() -> None:
    """Listen until standard input ends."""
    global BOMB  # noqa: PLW0603 - made once, when the server starts
    BOMB = _bomb()
    import trustme

    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder) / "cert.pem"
        trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        servers = [
            await asyncio.start_server(handle, "127.0.0.1", 0, backlog=512),
            await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context),
            await asyncio.start_server(silent_tls, "127.0.0.1", 0),
        ]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    print(json.dumps(dict(zip(("plain", "untrusted", "silent"), ports, strict=True))), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for server in servers:
        server.close()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass

"""A vendor on loopback with OpenAI's format: ``python vendor.py PORT``.

The content of the last message selects the answer: ``unmerged`` streams 200 chunks 5 ms apart, ``burst`` streams 503 chunks in a
few writes, ``short`` streams two chunks and ends 5 ms later, ``broken`` breaks off a stream, ``failing`` is a refusal. Everything
else is a plain answer.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from typing import Any

MODEL = "gpt-test"
UNMERGED, BURST, GAP_S = 200, 503, 0.005


def _chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": MODEL}
    return b"data: " + json.dumps({**body, "system_fingerprint": "fp_1", "choices": [choice], "usage": None}).encode() + b"\n\n"


def _usage(count: int) -> dict[str, int]:
    return {"prompt_tokens": 12, "completion_tokens": count, "total_tokens": 12 + count}


def _last(count: int) -> bytes:
    body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": MODEL, "choices": []}
    return b"data: " + json.dumps({**body, "usage": _usage(count)}).encode() + b"\n\ndata: [DONE]\n\n"


def _plain() -> bytes:
    message = {"role": "assistant", "content": "The quick brown fox jumps over the lazy dog. " * 6, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    body = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": MODEL, "choices": [choice]}
    return json.dumps({**body, "usage": _usage(60), "system_fingerprint": "fp_1"}).encode()


def _whole(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\nx-request-id: req_1\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


FIRST, FINISH = _chunk({"role": "assistant", "content": ""}), _chunk({}, "stop")
TEXTS = [
    _framed(_chunk({"content": f" and so goes part {number} of it"})) for number in range(BURST)
]  # litellm refuses repetitions
PIECES = [b"".join(TEXTS[start : start + 16]) for start in range(0, BURST - 2, 16)]
PIECES[-1] = b"".join(TEXTS[(BURST - 2) // 16 * 16 : BURST - 2])
PLAIN = _whole("200 OK", _plain())
REFUSED = _whole("400 Bad Request", b'{"error":{"message":"no","type":"invalid_request_error","param":null,"code":null}}')
MODELS = _whole("200 OK", json.dumps({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "test"}]}).encode())
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: req_1\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


class Vendor(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: Any) -> None:
        self.transport, self.buffer, self.task = transport, b"", None

    def connection_lost(self, _error: Exception | None) -> None:
        if self.task is not None:
            self.task.cancel()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while self.buffer:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            lowered = head.lower()
            if b"transfer-encoding: chunked" in lowered:
                size = rest.find(b"0\r\n\r\n") + 5
                if size < 5:
                    return
            else:
                _, stated, length = lowered.partition(b"content-length:")
                size = int(length.partition(b"\r\n")[0]) if stated else 0
            if len(rest) < size:
                return
            self.buffer = rest[size:]
            self.answer(head, rest[:size])

    def answer(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"GET"):
            self.transport.write(MODELS)
        elif b"failing" in body:
            self.transport.write(REFUSED)
        elif b"unmerged" in body:
            self.task = asyncio.ensure_future(self.unmerged())
        elif b"short" in body:
            self.transport.write(STREAM_HEAD + _framed(FIRST) + TEXTS[0])
            asyncio.get_running_loop().call_later(GAP_S, self.transport.write, _framed(FINISH) + _framed(_last(2)) + END)
        elif b"burst" in body:
            self.burst()
        elif b"broken" in body:
            self.transport.write(STREAM_HEAD + _framed(FIRST) + b"".join(TEXTS[:3]))
            self.transport.close()
        else:
            self.transport.write(PLAIN)

    def burst(self) -> None:
        """Write a stream in pieces of 16 events, each event in a frame of its own."""
        self.transport.write(STREAM_HEAD + _framed(FIRST))
        for piece in PIECES:
            self.transport.write(piece)
        self.transport.write(_framed(FINISH) + _framed(_last(BURST)) + END)

    async def unmerged(self) -> None:
        with suppress(asyncio.CancelledError):
            self.transport.write(STREAM_HEAD + _framed(FIRST))
            for text in TEXTS[: UNMERGED - 2]:
                await asyncio.sleep(GAP_S)
                self.transport.write(text)
            self.transport.write(_framed(FINISH) + _framed(_last(UNMERGED)) + END)


async def serve(port: int) -> None:
    """Serve until the process ends."""
    server = await asyncio.get_running_loop().create_server(Vendor, "127.0.0.1", port, backlog=1024)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with suppress(ImportError):
        import uvloop

        uvloop.install()
    asyncio.run(serve(int(sys.argv[1])))

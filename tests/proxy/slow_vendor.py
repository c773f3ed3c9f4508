"""A vendor of chat completions whose streams stop after the first chunk until the test releases them."""

from __future__ import annotations

import asyncio
import json
from threading import Thread
from typing import Any, Self

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\n%b\r\n"
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


class SlowVendor:
    """One vendor in a thread.

    Attributes:
        url: Its base URL.
        waiting: Streams that wait for their release.
        requests: Requests so far.
        models: The model of each request, in order.
    """

    def __init__(self) -> None:
        self.waiting = self.requests = 0
        self.models: list[str] = []

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._released = asyncio.Event()
        self._thread = Thread(target=self._loop.run_forever, name="slow-vendor")
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024))
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def release(self) -> None:
        self._loop.call_soon_threadsafe(self._released.set)

    def hold(self) -> None:
        self._loop.call_soon_threadsafe(self._released.clear)

    def config(self, **sections: Any) -> dict[str, Any]:
        provider: dict[str, Any] = {
            "connector": "openai.llm.v1",
            "api_key": "test",
            "base_url": self.url,
            "models": ["gpt-4o-mini"],
        }
        provider["connection_pool"] = {"max_connections": 300}
        return {"providers": {"slow": provider}, "pools": {"chat": {"capability": "chat-completion"}}, **sections}

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _end(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await self._one(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        body = json.loads(await reader.readexactly(length))
        self.requests += 1
        self.models.append(body["model"])
        common = {"id": "chatcmpl-1", "created": 1, "model": body["model"]}
        if not body.get("stream"):
            message = {"role": "assistant", "content": "Hello!"}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            answer = json.dumps({**common, "object": "chat.completion", "choices": [choice], "usage": USAGE}).encode()
            writer.write(_HEAD % (b"application/json", b"content-length: %d\r\n" % len(answer)) + answer)
            return
        writer.write(_HEAD % (b"text/event-stream", b"transfer-encoding: chunked\r\n"))
        _chunk(writer, _event(common, {"role": "assistant", "content": "Hel"}))
        self.waiting += 1
        await self._released.wait()
        self.waiting -= 1
        _chunk(writer, _event(common, {"content": "lo!"}))
        _chunk(writer, _event(common, {}, finish="stop"))
        usage = {**common, "object": "chat.completion.chunk", "choices": [], "usage": USAGE}
        _chunk(writer, b"data: " + json.dumps(usage).encode() + b"\n\n")
        _chunk(writer, b"data: [DONE]\n\n")
        writer.write(b"0\r\n\r\n")


def _event(common: dict[str, Any], delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({**common, "object": "chat.completion.chunk", "choices": [choice]}).encode() + b"\n\n"


def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%b\r\n" % (len(data), data))

"""A vendor of realtime sessions: it answers each ``response.create`` with a text and its usage."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from threading import Thread
from typing import Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

USAGE = {
    "total_tokens": 60,
    "input_tokens": 30,
    "output_tokens": 30,
    "input_token_details": {"text_tokens": 10, "audio_tokens": 20, "cached_tokens": 0},
    "output_token_details": {"text_tokens": 10, "audio_tokens": 20},
}


class RealtimeVendor:
    """One vendor in a thread.

    Attributes:
        url: Its base URL.
        status: Status with which it refuses sessions, 0 to accept them.
        requests: Path and headers of each handshake.
        open: Sessions that are open.
        closed: Close code of each session that ended.
        received: Messages of the callers.
    """

    def __init__(self) -> None:
        self.status = self.open = 0
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.closed: list[int | None] = []
        self.received: list[str | bytes] = []

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="realtime-vendor")
        self._thread.start()
        self._server: Server = self._call(self._start())
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _start(self) -> Server:
        return await serve(self._session, "127.0.0.1", 0, process_request=self._check, max_size=None)

    async def _end(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    def _check(self, connection: ServerConnection, request: Request) -> Response | None:
        self.requests.append((request.path, {name.lower(): value for name, value in request.headers.raw_items()}))
        if not self.status:
            return None
        return connection.respond(HTTPStatus(self.status), '{"error": {"message": "No.", "code": "test_code"}}')

    async def _session(self, connection: ServerConnection) -> None:
        self.open += 1
        try:
            await _send(connection, {"type": "session.created", "session": {"model": "voice-1", "x_new": 1}})
            async for message in connection:
                self.received.append(message)
                if isinstance(message, bytes):
                    await connection.send(message)
                elif not await self._answer(connection, json.loads(message)):
                    break
        except ConnectionClosed:
            pass
        finally:
            self.open -= 1
            await connection.wait_closed()
            self.closed.append(connection.close_code)

    async def _answer(self, connection: ServerConnection, event: dict[str, Any]) -> bool:
        if event["type"] == "test.close":
            await connection.close(event["code"], "test reason")
        elif event["type"] == "test.abort":
            connection.transport.abort()
        elif event["type"] == "response.create":
            await _send(connection, {"type": "response.created", "response": {"id": "resp_1", "usage": None}})
            await _send(connection, {"type": "response.output_text.delta", "delta": 'Say "response.done"'})
            if event.get("response", {}).get("instructions") != "hang":
                await _send(connection, {"type": "response.done", "response": {"id": "resp_1", "usage": USAGE, "x_new": 1}})
        else:
            await _send(connection, {"type": "test.echo", "event": event})
        return event["type"] not in ("test.close", "test.abort")


async def _send(connection: ServerConnection, event: dict[str, Any]) -> None:
    await connection.send(json.dumps({"event_id": "event_1", **event}))

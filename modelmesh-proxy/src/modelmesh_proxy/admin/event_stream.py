"""``GET /admin/attempts``: the live feed as server-sent events."""

from __future__ import annotations

from modelmesh._engine.gateway.messages import HttpError
from modelmesh_proxy.admin.json_bodies import encode, encode_error
from modelmesh_proxy.admin.live_feed import MAX_READERS, LiveFeed
from modelmesh_proxy.admin.live_readers import Reader
from modelmesh_proxy.asgi import JSON, Receive, Scope, Send


class AttemptStream:
    """ASGI application that sends the live feed until the reader leaves, the reader is too slow, or the proxy drains."""

    def __init__(self, feed: LiveFeed) -> None:
        self._feed = feed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one reader."""
        del scope
        reader = self._feed.join()
        if reader is None:
            await _refuse(send)
            return
        try:
            await reader.serve(_send_all(reader, send), _until_left(receive))
        finally:
            self._feed.leave(reader)


async def _send_all(reader: Reader, send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    while (message := await reader.queue.get()) is not None:
        kind, facts = message
        body = b"event: %b\ndata: %b\n\n" % (kind.encode(), encode(facts))
        await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _until_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(send: Send) -> None:
    message = f"{MAX_READERS} live views are open, which is the most. Close one of them."
    error = HttpError(429, message, code="too_many_views")
    await send({"type": "http.response.start", "status": error.status, "headers": [JSON, (b"retry-after", b"5")]})
    await send({"type": "http.response.body", "body": encode_error(error)})

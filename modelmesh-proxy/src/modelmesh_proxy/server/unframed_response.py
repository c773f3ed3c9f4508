"""Responses to HTTP/1.0, which has no chunks: the end of the connection ends a body of unknown length."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class UnframedResponse(RequestResponseCycle):
    """uvicorn's request and response, which sends chunks to every caller."""

    is_unframed = False

    async def send(self, message: Any) -> None:
        """Send an ASGI event."""
        if message["type"] == "http.response.start":
            self.is_unframed = all(name.lower() != b"content-length" for name, _ in message.get("headers", ()))
            if self.is_unframed:
                self.chunked_encoding = False
        elif self.is_unframed:
            self.expected_content_length = len(message.get("body", b""))  # uvicorn compares each piece
        await super().send(message)

"""The request that all subjects of chat completions send."""

from __future__ import annotations

from typing import Any

MODEL = "gpt-4o-mini"
MESSAGES: list[Any] = [{"role": "user", "content": "Hello, how are you today?"}]
PLAIN: dict[str, Any] = {"model": MODEL, "messages": MESSAGES}
STREAMED: dict[str, Any] = {**PLAIN, "stream": True}
HEADERS = {"Authorization": "Bearer test"}

CHUNKS = 500
"""Chunks with content in a stream of the upstream server."""

IN_FLIGHT = 64
THREADS = 16
STREAMS = 1000
SLOW_CHUNKS = 20

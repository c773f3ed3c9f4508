"""Buffer of a stream's first chunks, which decides when the stream is committed to its candidate.

A failure before that leads to failover. Afterwards the caller has received chunks and the candidate cannot change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modelmesh._engine.routing import final_errors
from modelmesh._engine.routing.pool_policy import Commit, StreamPolicy
from modelmesh._engine.routing.steps import Opened
from modelmesh._engine.routing.stream_progress import MAX_EMPTY_CHUNKS, Progress
from modelmesh.errors import ProviderError


class StreamBuffer:
    """Buffers chunks until the pool's stream policy commits: at the first content, after some more, or at the end."""

    __slots__ = ("_clock", "_policy", "_since", "_stream", "chunks", "progress")

    def __init__(self, stream: Any, policy: StreamPolicy, clock: Callable[[], float], tools: Any = None) -> None:
        self.chunks: list[dict[str, Any]] = []
        self.progress = Progress(tools)
        self._stream, self._policy, self._clock = stream, policy, clock
        self._since: float | None = None

    def add(self, chunk: Any) -> bool:
        """Add one chunk and return whether the stream may be committed now.

        Only content commits a stream: empty deltas keep a connection alive and contain no part of the answer.

        Raises:
            TypeError: The chunk is not a dictionary.
        """
        if not isinstance(chunk, dict):
            message = f"a chunk is a {type(chunk).__name__}, not a dict in OpenAI's shape"
            raise TypeError(message)
        progress = self.progress
        if progress.feed(chunk) and (progress.has_content or len(self.chunks) < MAX_EMPTY_CHUNKS):
            self.chunks.append(chunk)
        if not progress.has_content:
            return False
        if self._since is None:
            self._since = self._clock()
            self._stream.commit()  # the first-content limit is met, even if the policy buffers further chunks
        if self._policy.commit is Commit.FIRST_CONTENT:
            return True
        if self._policy.commit is Commit.COMPLETE:
            return False
        return len(self.chunks) > self._policy.tokens or self._clock() - self._since >= self._policy.seconds

    def opened(self, events: Any) -> Opened:
        """Return the outcome of a committed stream.

        Args:
            events: The stream's iterator, positioned after the buffered chunks.
        """
        return Opened(self._stream, events, self.chunks, self.progress)

    def ended(self, events: Any) -> Opened | ProviderError:
        """Return the outcome of a stream that ended before it was committed: an answer only if it is complete."""
        if self.progress.complete and self.progress.has_content:
            return self.opened(events)
        if self.progress.has_content:
            return final_errors.bad_response("its stream ended without a finish reason", self.progress.usage)
        return final_errors.bad_response("its stream ended before any content", self.progress.usage)

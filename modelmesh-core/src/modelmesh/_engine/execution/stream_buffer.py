"""Buffer of a stream's first items, which decides when the stream is committed to its candidate.

A failure before that leads to failover. Afterwards the caller has received content and the candidate cannot change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modelmesh._engine.routing import final_errors
from modelmesh._engine.routing.pool_policy import Commit, StreamPolicy
from modelmesh._engine.routing.steps import Opened
from modelmesh._engine.routing.stream_progress import MAX_EMPTY_CHUNKS, StreamProgress
from modelmesh.errors import ProviderError


class StreamBuffer:
    """Buffers items until the pool's stream policy commits: at the first content, after some more, or at the end."""

    __slots__ = ("_clock", "_policy", "_since", "_stream", "chunks", "progress")

    def __init__(self, stream: Any, progress: StreamProgress, policy: StreamPolicy, clock: Callable[[], float]) -> None:
        self.chunks: list[Any] = []
        self.progress = progress
        self._stream, self._policy, self._clock = stream, policy, clock
        self._since: float | None = None

    def add(self, chunk: Any) -> bool:
        """Add one item and return whether the stream may be committed now.

        Only content commits a stream: empty deltas keep a connection alive and contain no part of the answer.

        Raises:
            TypeError: The item is of the wrong type for this kind of stream.
        """
        progress = self.progress
        progress.check_type(chunk)
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
            events: The stream's iterator, positioned after the buffered items.
        """
        return Opened(self._stream, events, self.chunks, self.progress)

    def ended(self, events: Any) -> Opened | ProviderError:
        """Return the outcome of a stream that ended before it was committed: an answer only if it is complete."""
        progress = self.progress
        progress.end()
        if progress.complete and progress.has_content:
            return self.opened(events)
        why = progress.missing_end if progress.has_content else "its stream ended before any content"
        return final_errors.bad_response(why, progress.usage)

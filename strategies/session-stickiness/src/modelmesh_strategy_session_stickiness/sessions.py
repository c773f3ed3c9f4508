"""Map of sessions to models, limited by number and by idle time."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b

from modelmesh.contracts import Candidate

MAX_NAME_LENGTH = 64
"""Longest session ID that is stored. Callers choose the IDs, so longer ones are stored as a digest to bound the memory."""


class Sessions:
    """Models by session ID, the latest session at the end."""

    def __init__(self, max_sessions: int, timeout: float) -> None:
        """Start without sessions.

        Args:
            max_sessions: Maximum number of sessions. Beyond it the least recently used one is removed.
            timeout: Seconds without a request after which a session is removed.
        """
        self._max_sessions = max_sessions
        self._timeout = timeout
        self._models: OrderedDict[str | bytes, tuple[Candidate, float]] = OrderedDict()

    def model_of(self, name: str, now: float) -> Candidate | None:
        """Return the model of a session, ``None`` for a new or expired one. Changes nothing."""
        found = self._models.get(_key(name))
        return found[0] if found is not None and now - found[1] < self._timeout else None

    def assign(self, name: str, candidate: Candidate, now: float) -> None:
        """Assign a session to a model, and remove expired sessions."""
        key = _key(name)
        before = self._models.pop(key, None)
        self._models[key] = candidate, max(now, before[1]) if before else now
        while len(self._models) > self._max_sessions:
            self._models.popitem(last=False)
        while True:
            oldest, (_, used) = next(iter(self._models.items()))
            if now - used < self._timeout or oldest == key:
                return
            del self._models[oldest]

    def __len__(self) -> int:
        return len(self._models)


def _key(name: str) -> str | bytes:
    return name if len(name) <= MAX_NAME_LENGTH else blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()

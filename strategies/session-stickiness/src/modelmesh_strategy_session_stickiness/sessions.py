"""Map of sessions to models, limited by number and by idle time, which processes may share."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import blake2b

from modelmesh.contracts import Candidate

RENEWED = 0.25
"""Share of the idle time after which a session that stays in use is shared again."""


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
        self._models: OrderedDict[str, tuple[Candidate, float]] = OrderedDict()
        self._shared: dict[str, tuple[Candidate, float]] = {}
        self._changed: set[str] = set()
        self._is_shared = False

    def model_of(self, name: str, now: float) -> Candidate | None:
        """Return the model of a session, ``None`` for a new or expired one. Changes nothing."""
        found = self._models.get(_key(name))
        return found[0] if found is not None and now - found[1] < self._timeout else None

    def assign(self, name: str, candidate: Candidate, now: float) -> None:
        """Assign a session to a model, and remove expired sessions."""
        key = _key(name)
        before = self._models.pop(key, None)
        used = max(now, before[1]) if before else now
        self._models[key] = candidate, used
        if self._is_shared:
            shared = self._shared.get(key)
            if shared is None or shared[0] is not candidate or used - shared[1] > RENEWED * self._timeout:
                self._changed.add(key)
        self._remove_old(key, now)

    # -- sessions of other processes --------------------------------------------------------------------------------

    def take_changes(self, now: float) -> dict[str, tuple[Candidate, float]]:
        """Return the model and the remaining seconds of each session that changed since the last call, of all at the first."""
        if not self._is_shared:
            self._changed.update(self._models)
        self._is_shared = True
        changed, self._changed = self._changed, set()
        found = {key: self._models[key] for key in changed if key in self._models}
        self._shared |= found
        return {key: (model, self._timeout - (now - used)) for key, (model, used) in found.items()}

    def apply(self, sessions: Mapping[str, tuple[Candidate, float]], now: float) -> None:
        """Assign the sessions of other processes. A change of this process that they have not received remains."""
        for key, (model, left) in sessions.items():
            used = now - self._timeout + left
            before = self._models.get(key)
            if key in self._changed or (before is not None and before[0] is model and before[1] >= used):
                continue
            self._models[key] = self._shared[key] = model, min(used, now)
            self._remove_old(key, now)

    # -- limits -----------------------------------------------------------------------------------------------------

    def _remove_old(self, key: str, now: float) -> None:
        while len(self._models) > self._max_sessions:
            self._shared.pop(self._models.popitem(last=False)[0], None)
        while True:
            oldest, (_, used) = next(iter(self._models.items()))
            if now - used < self._timeout or oldest == key:
                return
            del self._models[oldest]
            self._shared.pop(oldest, None)

    def __len__(self) -> int:
        return len(self._models)


def _key(name: str) -> str:
    """Return the digest of a session ID. Callers choose the IDs, so a digest bounds the memory and hides personal data."""
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

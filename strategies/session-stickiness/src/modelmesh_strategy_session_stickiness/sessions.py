"""Which conversation is on which model: as many as are allowed, each as long as it is used."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b

from modelmesh.contracts import Candidate

LONGEST_NAME = 64
"""Of a longer one only a digest is kept: callers choose the names, and they must not fill the memory."""


class Sessions:
    """Conversations by name, the one that was used last at the end."""

    def __init__(self, most: int, timeout: float) -> None:
        """Start with none.

        Args:
            most: Conversations that are kept; beyond it the one that was not used for longest is forgotten.
            timeout: Seconds without a request after which one is forgotten.
        """
        self._most = most
        self._timeout = timeout
        self._kept: OrderedDict[str | bytes, tuple[Candidate, float]] = OrderedDict()

    def model_of(self, name: str, now: float) -> Candidate | None:
        """Return the model a conversation is on, ``None`` for a new or forgotten one; changes nothing."""
        found = self._kept.get(_key(name))
        return found[0] if found is not None and now - found[1] < self._timeout else None

    def keep(self, name: str, candidate: Candidate, now: float) -> None:
        """Keep a conversation on a model from now on, and forget those that are over."""
        key = _key(name)
        before = self._kept.pop(key, None)
        self._kept[key] = candidate, max(now, before[1]) if before else now
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        while True:
            oldest, (_, used) = next(iter(self._kept.items()))
            if now - used < self._timeout or oldest == key:
                return
            del self._kept[oldest]

    def __len__(self) -> int:
        return len(self._kept)


def _key(name: str) -> str | bytes:
    return name if len(name) <= LONGEST_NAME else blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()

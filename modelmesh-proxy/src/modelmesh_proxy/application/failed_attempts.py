"""Failed authentications by peer: a peer with too many of them in a minute is blocked until the minute ends."""

from __future__ import annotations

from modelmesh_proxy.tokens.token_text import digest_of

MAX_FAILURES = 20
"""Failures of a peer in one window before it is blocked."""

WINDOW_S = 60.0
_MAX_PEERS = 10_000
_MAX_KNOWN = 10_000


class FailedAttempts:
    """Counts of failures. A token that was valid before passes during a block, because peers may share one address.

    The guard compares no short unknown token during a block, so a guess reveals nothing.
    """

    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}
        self._known: dict[bytes, None] = {}

    def blocked_for(self, peer: str | None, credential: str, now: float) -> float:
        """Return the seconds for which an unknown credential of a peer is refused, 0 if it is not.

        Args:
            peer: Address of the peer.
            credential: The token.
            now: Monotonic seconds.
        """
        window = self._windows.get(peer or "")
        if window is None or window[1] < MAX_FAILURES or now >= window[0]:
            return 0.0
        return 0.0 if digest_of(credential) in self._known else window[0] - now

    def record_failure(self, peer: str | None, now: float) -> None:
        """Count a credential that is not valid."""
        end, count = self._windows.get(peer or "", (0.0, 0))
        if now >= end:
            end, count = now + WINDOW_S, 0
        if len(self._windows) >= _MAX_PEERS and (peer or "") not in self._windows:
            self._windows = {name: window for name, window in self._windows.items() if window[0] > now}
            if len(self._windows) >= _MAX_PEERS:
                self._windows.pop(next(iter(self._windows)))
        self._windows[peer or ""] = (end, count + 1)

    def record_success(self, credential: str) -> None:
        """Remember a valid credential as its digest."""
        digest = digest_of(credential)
        if digest not in self._known:
            if len(self._known) >= _MAX_KNOWN:
                self._known.pop(next(iter(self._known)))
            self._known[digest] = None

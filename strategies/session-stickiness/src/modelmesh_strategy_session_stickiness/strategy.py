"""Selection of the same model for all requests of a session."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from modelmesh.contracts import Candidate, Candidates, SelectionRequest, SelectionResult, Strategy, parse_duration
from modelmesh.errors import ConfigurationError, SessionModelUnavailableError
from modelmesh_cdk import BaseStrategy
from modelmesh_strategy_session_stickiness.naming import session_of
from modelmesh_strategy_session_stickiness.sessions import Sessions

SESSION_SCORE = 1_000_000.0
"""Score of the model of a session."""


class SessionStickiness(BaseStrategy):
    """Selects the same model for all requests of a session.

    Priority selection decides for new sessions and for requests without a session. When the model of a session is unavailable,
    the session moves to another model and stays there. With ``affinity_mode: strict`` the request fails instead.
    """

    id: ClassVar[str] = "modelmesh.session-stickiness.v1"
    options: ClassVar[Collection[str]] = (
        "affinity_mode",
        "session_timeout",
        "session_header",
        "max_sessions",
        "fallback_strategy",
    )
    fixed_fallback: ClassVar[str] = "modelmesh.priority-selection.v1"

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        """Read the settings.

        Args:
            config: ``affinity_mode`` (``fallback`` or ``strict``), ``session_timeout`` (a duration), ``max_sessions``,
                ``session_header``, and ``fallback``, the strategy that the mesh built for new sessions.

        Raises:
            ConfigurationError: A setting is invalid.
        """
        super().__init__(config)
        self._strict = _mode(self.config) == "strict"
        self._header = str(self.config.get("session_header", "x-session-id") or "").lower()
        self._sessions = Sessions(_max_sessions(self.config), _timeout(self.config))
        self._first: Strategy | None = self.config.get("fallback")

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult:
        """Return the model of the session.

        Raises:
            SessionModelUnavailableError: It is unavailable, and ``affinity_mode`` is ``strict``.
        """
        session = session_of(request, self._header)
        if session is None:
            return self._by_fallback(candidates, request, "no session")
        model = self._sessions.model_of(session, request.now)
        if model is None:
            return self._by_fallback(candidates, request, "new session")
        if model in candidates:
            return SelectionResult(model, SESSION_SCORE, "the model of this session")
        if self._strict:
            raise _unavailable(model, candidates, request)
        return self._by_fallback(candidates, request, f"the session moves, as {model} is unavailable")

    def _by_fallback(self, candidates: Candidates, request: SelectionRequest, why: str) -> SelectionResult:
        if self._first is None:
            first = candidates.first()
            assert first is not None  # a strategy receives at least one candidate
            return SelectionResult(first, 0.0, f"{why}; first in pool order")
        chosen = self._first.select(candidates, request)
        if not isinstance(chosen, SelectionResult):
            return SelectionResult(chosen, 0.0, f"{why}; chosen by {self._first.id}")
        return SelectionResult(chosen.candidate, chosen.score, f"{why}; {chosen.reason or self._first.id}")

    def score(self, candidate: Candidate, request: SelectionRequest) -> float:
        """Return 1,000,000 for the model of the session, and the score of priority selection for others."""
        session = session_of(request, self._header)
        if session is not None and self._sessions.model_of(session, request.now) is candidate:
            return SESSION_SCORE
        score = getattr(self._first, "score", None)
        return float(score(candidate, request)) if score is not None else 0.0

    # -- updates of the sessions ------------------------------------------------------------------------------------

    def picked(self, candidate: Candidate, request: SelectionRequest) -> None:
        """Assign the session to the model."""
        session = session_of(request, self._header)
        before = None if session is None else self._sessions.model_of(session, request.now)
        if session is not None and (before is None or before is candidate or not self._strict):
            self._sessions.assign(session, candidate, request.now)
        if before is not candidate:
            self._notify_fallback("picked", candidate, request)  # the fallback selected it only in this case

    def succeeded(self, candidate: Candidate, request: SelectionRequest, outcome: Mapping[str, Any]) -> None:
        """Start the idle time of the session at the end of the answer."""
        session, ended = session_of(request, self._header), max(request.now, candidate.answered_at)
        if session is not None and self._sessions.model_of(session, request.now) in (candidate, None):
            self._sessions.assign(session, candidate, ended)
        self._notify_fallback("succeeded", candidate, request, outcome)

    def failed(self, candidate: Candidate, request: SelectionRequest, error: Exception) -> None:
        """Notify the fallback."""
        self._notify_fallback("failed", candidate, request, error)

    # -- sessions of other processes, and of an earlier configuration -----------------------------------------------

    def take_shared(self, now: float) -> dict[str, tuple[str, float]]:
        """Return the sessions that changed, by the digest of their ID: the name of the model and the remaining seconds."""
        return {session: (str(model), left) for session, (model, left) in self._sessions.take_changes(now).items()}

    def apply_shared(self, chosen: Mapping[str, tuple[Candidate, float]], now: float) -> None:
        """Assign the sessions of other processes to their models."""
        self._sessions.apply(chosen, now)

    def _notify_fallback(self, notice: str, *facts: Any) -> None:
        notified = getattr(self._first, notice, None)  # optional methods of a strategy
        if notified is not None:
            notified(*facts)


def _unavailable(model: Candidate, candidates: Candidates, request: SelectionRequest) -> SessionModelUnavailableError:
    pool, facts = candidates.pool, {}
    why = pool.standby_reason(model, request.now) if pool.position(model) is not None else "it is not in the pool"
    due = model.available_at - request.now
    if 0 < due < float("inf"):
        facts["retry_after"] = due
    message = (
        f"the model {model} of the session is unavailable in pool {request.pool!r}: "
        f"{why or 'it cannot serve this request, or was tried already'}. No other model was tried, as affinity_mode is 'strict'. "
        "Retry later, start a new session (another session_id), or set affinity_mode: fallback."
    )
    found = SessionModelUnavailableError(message, pool_name=request.pool, details={"model": str(model), **facts}, **facts)
    found.provider_id, found.model_id = model.provider_id, model.model_id
    return found


def _mode(config: Mapping[str, Any]) -> str:
    mode = config.get("affinity_mode") or "fallback"
    if mode not in ("fallback", "strict"):
        message = f"selection.affinity_mode must be 'fallback' or 'strict', not {mode!r}."
        raise ConfigurationError(message, where="selection.affinity_mode")
    return str(mode)


def _timeout(config: Mapping[str, Any]) -> float:
    stated = config.get("session_timeout")
    try:
        return 1800.0 if stated is None else parse_duration(stated)
    except ValueError as error:
        message = f"selection.session_timeout: {error}."
        raise ConfigurationError(message, where="selection.session_timeout") from None


def _max_sessions(config: Mapping[str, Any]) -> int:
    max_sessions = config.get("max_sessions", 10_000)
    if isinstance(max_sessions, bool) or not isinstance(max_sessions, int) or max_sessions < 1:
        message = f"selection.max_sessions must be a whole number above 0, not {max_sessions!r}. Example: 10000."
        raise ConfigurationError(message, where="selection.max_sessions")
    return max_sessions

"""A conversation stays on one model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from modelmesh.contracts import Candidate, Candidates, SelectionRequest, SelectionResult, Strategy, duration
from modelmesh.errors import ConfigurationError, SessionModelUnavailableError
from modelmesh_cdk import BaseStrategy
from modelmesh_strategy_session_stickiness.naming import session_of
from modelmesh_strategy_session_stickiness.sessions import Sessions

STAYS = 1_000_000.0
"""Score of the model that a conversation is on."""


class SessionStickiness(BaseStrategy):
    """Keeps each conversation on the model that it began with.

    New conversations, and requests that name none, go by priority selection. When the model of a conversation cannot be
    asked, the conversation moves to the next one and stays there; with ``affinity_mode: strict`` the request is refused.
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
                ``session_header``, and ``fallback``, the strategy that the mesh has built for new conversations.

        Raises:
            ConfigurationError: One of them cannot be used.
        """
        super().__init__(config)
        self._strict = _mode(self.config) == "strict"
        self._header = str(self.config.get("session_header", "x-session-id") or "").lower()
        self._sessions = Sessions(_most(self.config), _timeout(self.config))
        self._first: Strategy | None = self.config.get("fallback")

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult:
        """Return the model of the conversation.

        Raises:
            SessionModelUnavailableError: It cannot be asked, and ``affinity_mode`` is ``strict``.
        """
        session = session_of(request, self._header)
        if session is None:
            return self._by_fallback(candidates, request, "no conversation named")
        model = self._sessions.model_of(session, request.now)
        if model is None:
            return self._by_fallback(candidates, request, "new conversation")
        if model in candidates:
            return SelectionResult(model, STAYS, "the model of this conversation")
        if self._strict:
            raise _unavailable(model, candidates, request)
        return self._by_fallback(candidates, request, f"this conversation moves, as {model} cannot be asked")

    def _by_fallback(self, candidates: Candidates, request: SelectionRequest, why: str) -> SelectionResult:
        if self._first is None:
            first = candidates.first()
            assert first is not None  # candidates are never empty
            return SelectionResult(first, 0.0, f"{why}; first in pool order")
        chosen = self._first.select(candidates, request)
        if not isinstance(chosen, SelectionResult):
            return SelectionResult(chosen, 0.0, f"{why}; chosen by {self._first.id}")
        return SelectionResult(chosen.candidate, chosen.score, f"{why}; {chosen.reason or self._first.id}")

    def score(self, candidate: Candidate, request: SelectionRequest) -> float:
        """1,000,000 for the model of the conversation; for others that of priority selection."""
        session = session_of(request, self._header)
        if session is not None and self._sessions.model_of(session, request.now) is candidate:
            return STAYS
        score = getattr(self._first, "score", None)
        return float(score(candidate, request)) if score is not None else 0.0

    # -- keeping the conversations ------------------------------------------------------------------------------------

    def picked(self, candidate: Candidate, request: SelectionRequest) -> None:
        """Keep the conversation on it."""
        session = session_of(request, self._header)
        before = None if session is None else self._sessions.model_of(session, request.now)
        if session is not None and (before is None or before is candidate or not self._strict):
            self._sessions.keep(session, candidate, request.now)
        if before is not candidate:
            self._tell("picked", candidate, request)  # of those that stay it hears nothing: it did not choose them

    def succeeded(self, candidate: Candidate, request: SelectionRequest, outcome: Mapping[str, Any]) -> None:
        """Count the time of the conversation from the end of the answer."""
        session, ended = session_of(request, self._header), max(request.now, candidate.answered_at)
        if session is not None and self._sessions.model_of(session, request.now) in (candidate, None):
            self._sessions.keep(session, candidate, ended)
        self._tell("succeeded", candidate, request, outcome)

    def failed(self, candidate: Candidate, request: SelectionRequest, error: Exception) -> None:
        """Let priority selection's own fallback learn of it."""
        self._tell("failed", candidate, request, error)

    def _tell(self, notice: str, *facts: Any) -> None:
        told = getattr(self._first, notice, None)  # a strategy need not hear of everything
        if told is not None:
            told(*facts)


def _unavailable(model: Candidate, candidates: Candidates, request: SelectionRequest) -> SessionModelUnavailableError:
    pool, facts = candidates.pool, {}
    why = pool.standby_reason(model, request.now) if pool.position(model) is not None else "it has left the pool"
    due = model.available_at - request.now
    if 0 < due < float("inf"):
        facts["retry_after"] = due
    message = (
        f"the conversation's model {model} of pool {request.pool!r} cannot be asked: "
        f"{why or 'it cannot serve this request, or was asked already'}. Nothing else was asked, as affinity_mode is 'strict'. "
        "Try again later, begin a new conversation (another session_id), or set affinity_mode: fallback."
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
        return 1800.0 if stated is None else duration(stated)
    except ValueError as error:
        message = f"selection.session_timeout: {error}."
        raise ConfigurationError(message, where="selection.session_timeout") from None


def _most(config: Mapping[str, Any]) -> int:
    most = config.get("max_sessions", 10_000)
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        message = f"selection.max_sessions must be a whole number above 0, not {most!r}; e.g. 10000."
        raise ConfigurationError(message, where="selection.max_sessions")
    return most

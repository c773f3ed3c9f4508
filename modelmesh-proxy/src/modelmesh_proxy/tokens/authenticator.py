"""Identification of callers by their tokens, from memory.

A thread reads the tokens of the store after each change, within half a second. No request waits for the store. When the store
fails, the last known tokens stay valid.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from modelmesh._engine.mesh.callers import read_caller_totals
from modelmesh.contracts.caller import Caller
from modelmesh_proxy.services import ReadinessProblem
from modelmesh_proxy.tokens.records import TeamRecord, TokenRecord
from modelmesh_proxy.tokens.static_tokens import static_tokens
from modelmesh_proxy.tokens.token_index import TokenIndex
from modelmesh_proxy.tokens.token_store import TokenStore

if TYPE_CHECKING:
    from modelmesh import ModelMesh
    from modelmesh_proxy.services import ProxyServices
    from modelmesh_proxy.settings import ProxySettings

_log = logging.getLogger("modelmesh.proxy.tokens")

POLL_S = 0.4
"""Seconds between two reads of the store's revision."""

POLL_AFTER_FAILURE_S = 2.0
RELOAD_S = 60.0
"""Seconds after which the tokens are read though the revision is the same, in case a command ended between its two writes."""

CLOSE_S = 5.0
"""Longest wait for a store that does not answer, at the end."""


class TokenAuthenticator:
    """Identifies callers by the tokens of the configuration and of the store. Safe to share between threads."""

    def __init__(self, mesh: ModelMesh, settings: ProxySettings, *, now: Callable[[], float] = time.time) -> None:
        """Initialize it with the tokens of the configuration. :meth:`start` reads those of the store.

        Args:
            mesh: The mesh, with the storage of the tokens and their limits.
            settings: Settings of the proxy.
            now: Returns Unix seconds.

        Raises:
            ConfigurationError: ``proxy.auth.tokens`` is invalid.
        """
        self._now = now
        self._lock = Lock()  # held while records are applied, never while the store is read
        self._reading = Lock()
        self._stop = Event()
        self._thread: Thread | None = None
        self._stored: list[TokenRecord] = []
        self._teams: list[TeamRecord] = []
        self._revision: bytes | None = None
        self._read_at = 0.0
        self.error: Exception | None = None
        self._set_mesh(mesh, settings)
        self._build()

    def _set_mesh(self, mesh: ModelMesh, settings: ProxySettings) -> None:
        self._static = static_tokens(settings.section.auth.tokens)
        self._decides = settings.section.auth.enabled is not False
        self._mesh = mesh
        self.store = None if mesh.state is None else TokenStore(mesh.state.storage)

    # -- requests ---------------------------------------------------------------------------------------------------

    @property
    def has_tokens(self) -> bool:
        """Whether any token exists. Also before the store was read, because it may have tokens.

        A revoked token counts: without it, the revocation of the last token would admit every caller.
        """
        return bool(self._static or self._stored) or (self.store is not None and self._revision is None)

    @property
    def is_complete(self) -> bool:
        """Whether the tokens of the store were read once. Otherwise an unknown token may be one of them."""
        return self.store is None or self._revision is not None

    @property
    def names(self) -> dict[str, str]:
        """Names of tokens and teams by the key of their counters."""
        tokens = {one.key: one.name for one in (*self._static, *self._stored)}
        return tokens | {team.key: team.name for team in self._teams}

    def authenticate(self, credential: str | None, peer: str | None) -> Caller | None:
        """Return the caller of a request, ``None`` without a valid credential.

        Args:
            credential: The token of the request, ``None`` without one.
            peer: Address of the peer. Not used.
        """
        _ = peer
        if credential is None:
            return None
        return self._index.find(credential, self._now)

    def readiness(self) -> ReadinessProblem | None:
        """Return why tokens cannot be checked, ``None`` when they can."""
        if self.error is None or self._revision is not None or not self._decides:
            return None
        return ReadinessProblem("tokens_unknown", "The storage of the tokens cannot be read, so no stored token is accepted.")

    # -- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Read the tokens of the store, and read them again after every change. Call it in each process that serves."""
        if self._thread is not None or self.store is None:
            return
        self._poll()
        self._start_thread()

    def _start_thread(self) -> None:
        self._stop = Event()
        self._thread = Thread(target=self._run, name="modelmesh-tokens", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop reading the store."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(CLOSE_S)
            self._thread = None

    def replace_mesh(self, mesh: ModelMesh, settings: ProxySettings) -> None:
        """Use another mesh after a reload, which has taken over the counts of the earlier one. It does not block.

        Raises:
            ConfigurationError: ``proxy.auth.tokens`` is invalid.
        """
        with self._lock:
            had_store = self.store is not None
            self._set_mesh(mesh, settings)
            if self.store is None:
                self._stored, self._teams = [], []
            elif not had_store:
                self._revision = None
            self._read_at = 0.0  # another store may have other tokens
            self._build()
        if self.store is not None and self._thread is None:
            self._start_thread()

    @staticmethod
    def check(settings: ProxySettings) -> None:
        """Check the tokens of a configuration.

        Raises:
            ConfigurationError: One of them is invalid.
        """
        static_tokens(settings.section.auth.tokens)

    def refresh(self) -> None:
        """Read the tokens of the store now, if they changed.

        Raises:
            StorageError: The store failed.
        """
        store, mesh = self.store, self._mesh
        if store is None:
            return
        with self._reading:
            revision = store.revision()
            if revision == self._revision and self._now() - self._read_at < RELOAD_S:
                return
            tokens, teams = store.tokens(), store.teams()
        with self._lock:
            if store is not self.store:  # a reload came between, and the next poll reads the other store
                return
            self._stored, self._teams, self._revision, self._read_at = tokens, teams, revision, self._now()
            self._build()
        read_caller_totals(mesh)

    def _run(self) -> None:
        while not self._stop.wait(POLL_S if self.error is None else POLL_AFTER_FAILURE_S):
            self._poll()

    def _poll(self) -> None:
        try:
            self.refresh()
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and the known tokens stay valid
            if self.error is None:
                known = f"{len(self._stored)} known tokens stay valid" if self._revision is not None else "no token is known yet"
                _log.error("the tokens in the store cannot be read (%s): %s", type(error).__name__, known)
            self.error = error
        else:
            if self.error is not None:
                _log.warning("the tokens in the store can be read again")
            self.error = None

    # -- records to callers -----------------------------------------------------------------------------------------

    def records(self) -> Sequence[TokenRecord]:
        """Return the tokens of the configuration and the stored ones, as they are in force."""
        return [*self._static, *self._stored]

    def _build(self) -> None:
        """Set the limits of the mesh, and replace the index."""
        self._index = TokenIndex(self._mesh, self.records(), self._teams)


def add_tokens(services: ProxyServices) -> None:
    """Give a proxy the tokens of its configuration and of its store. A reload replaces both.

    Raises:
        ConfigurationError: ``proxy.auth.tokens`` is invalid.
    """
    tokens = services.authenticator = TokenAuthenticator(services.mesh, services.settings)
    services.on_replaced.append(lambda _: tokens.replace_mesh(services.mesh, services.settings))
    services.readiness_checks.append(tokens.readiness)


def known_tokens(mesh: ModelMesh, settings: ProxySettings) -> bool:
    """Return whether a proxy would require a token now. Reads the store, so it may block."""
    tokens = TokenAuthenticator(mesh, settings)
    with suppress(Exception):  # an unread store counts as one with tokens, and the workers report its failure
        tokens.refresh()
    return tokens.has_tokens

"""A mesh without a network whose time a test turns, for what shows only over many requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from modelmesh import ModelMesh
from modelmesh_cdk.testing.accounts import InProcessAccount
from modelmesh_cdk.testing.callers import MESSAGES

POOL = "chat-completion"


class InProcessMesh:
    """Some accounts, one pool over them, and the time. Use it as a context manager.

    Attributes:
        accounts: By name of the provider.
        now: Seconds; a wait of the mesh passes at once and is added.
        mesh: The mesh.
        client: Its client.
    """

    def __init__(self, accounts: Mapping[str, InProcessAccount] | None = None, **pool: Any) -> None:
        """Assemble it.

        Args:
            accounts: By name of the provider; by default ``a``, ``b`` and ``c`` with ``model-a``, ``model-b`` and ``model-c``.
            **pool: The pool's section of the configuration.
        """
        self.accounts = accounts or {key: InProcessAccount(f"model-{key}") for key in "abc"}
        self.now = 0.0
        self.mesh = ModelMesh(clock=lambda: self.now, sleep=self._let_pass)
        providers = {key: {"instance": account} for key, account in self.accounts.items()}
        self.mesh.initialize({"providers": providers, "pools": {POOL: pool}})
        self.client = self.mesh.client

    def _let_pass(self, seconds: float) -> None:
        self.now += seconds

    def ask(self, **arguments: Any) -> str:
        """Return ``provider/model`` of who answered."""
        reply = self.client.chat.completions.create(model=POOL, messages=list(MESSAGES), **arguments)
        return f"{reply.provider}/{reply.model}"

    def asks(self, times: int) -> list[str]:
        """Return who answered, request by request."""
        return [self.ask() for _ in range(times)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.mesh.shutdown()

"""Mesh without a network and with a simulated clock, for behavior over many requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from modelmesh import ModelMesh
from modelmesh_cdk.testing.accounts import InProcessAccount
from modelmesh_cdk.testing.callers import MESSAGES

POOL = "chat-completion"


class InProcessMesh:
    """Mesh of in-process accounts with one pool and a simulated clock. A context manager.

    Attributes:
        accounts: Accounts by provider name.
        now: Simulated time in seconds. A wait of the mesh returns at once and advances it.
        mesh: The mesh.
        client: Its client.
    """

    def __init__(self, accounts: Mapping[str, InProcessAccount] | None = None, **pool: Any) -> None:
        """Create the mesh.

        Args:
            accounts: Accounts by provider name. By default ``a``, ``b`` and ``c`` with ``model-a``, ``model-b`` and ``model-c``.
            **pool: Section of the pool in the configuration.
        """
        self.accounts = accounts or {key: InProcessAccount(f"model-{key}") for key in "abc"}
        self.now = 0.0
        self.mesh = ModelMesh(clock=lambda: self.now, sleep=self._let_pass)
        providers = {key: {"instance": account} for key, account in self.accounts.items()}
        self.mesh.initialize({"providers": providers, "pools": {POOL: pool}})
        self.client = self.mesh.client

    def _let_pass(self, seconds: float) -> None:
        self.now += seconds

    def send(self, **arguments: Any) -> str:
        """Send a request and return ``provider/model`` of the response."""
        reply = self.client.chat.completions.create(model=POOL, messages=list(MESSAGES), **arguments)
        return f"{reply.provider}/{reply.model}"

    def send_many(self, times: int) -> list[str]:
        """Send several requests and return ``provider/model`` of each response."""
        return [self.send() for _ in range(times)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.mesh.shutdown()

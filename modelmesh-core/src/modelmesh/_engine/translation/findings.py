"""Findings of one translation: losses, reasons for a native provider, and the account that owns the state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field

from modelmesh._engine.foundation.resource_ids import split
from modelmesh._engine.translation.refusals import refused


@define
class Findings:
    """What a translation found in a request.

    Attributes:
        lost: Parts without a counterpart, one line each.
        native_only: First reason why only a native provider can serve the request.
        account: Key of the provider that owns the state.
    """

    lost: list[str] = field(factory=list)
    native_only: str = ""
    account: str | None = None

    def lose(self, what: str, why: str) -> None:
        """Record a part that a chat completion cannot represent. Equal lines are recorded once."""
        self.convert(f"{what} dropped: {why}")

    def convert(self, line: str) -> None:
        """Record a part that a chat completion represents in another way."""
        if line not in self.lost:
            self.lost.append(line)

    def require_native(self, reason: str) -> None:
        """Record a reason why the request needs a native provider."""
        self.native_only = self.native_only or reason

    def read_fields(self, given: Mapping[str, Any], *, native: Mapping[str, str], lost: Mapping[str, str]) -> None:
        """Record the fields of a request that require a native provider, and those without a counterpart.

        Args:
            given: The request.
            native: Reasons by name of a field that requires a native provider.
            lost: Reasons by name of a field without a counterpart.
        """
        for name, reason in native.items():
            if given.get(name):
                self.require_native(f"{name}: {reason}")
        for name, reason in lost.items():
            if given.get(name):
                self.lose(name, reason)

    def own_id(self, value: Any, where: str) -> Any:
        """Return an ID without its account, which owns the state of the request.

        Raises:
            BadRequestError: The request refers to state of two accounts.
        """
        if not isinstance(value, str):
            return value
        resource, account = split(value)
        if account is None:
            return value
        if self.account not in (None, account):
            raise refused(where, f"belongs to the account {account!r}, other state of the request to {self.account!r}", _ONE)
        self.account = account
        return resource


_ONE = "Refer to state of one account in a request"

"""Mutable copy of a message for the application of the rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts import FailureClass
from modelmesh.errors import ProviderError
from modelmesh_cdk.provider.provider_errors import provider_error


class DraftMessage:
    """A mutable copy of the caller's message.

    Attributes:
        fields: The message, a copy.
        where: Its place in the caller's list, such as ``messages[3]``.
    """

    __slots__ = ("fields", "where")

    def __init__(self, fields: Mapping[str, Any], where: str) -> None:
        self.fields: dict[str, Any] = dict(fields)
        self.where = where

    @property
    def role(self) -> Any:
        """The role."""
        return self.fields.get("role")

    @property
    def content(self) -> Any:
        """The content."""
        return self.fields.get("content")

    @property
    def calls(self) -> list[Any]:
        """The tool calls of an assistant message, else an empty list."""
        calls = self.fields.get("tool_calls")
        return calls if isinstance(calls, list) and self.role == "assistant" else []


SYSTEM_ROLES = ("system", "developer")


_SPOKEN = ("text", "refusal")


def is_blank(content: Any) -> bool:
    """Return whether content is blank: absent, white space, or a list of blank text parts."""
    if isinstance(content, str):
        return not content.strip()
    if isinstance(content, list):
        return all(
            isinstance(part, Mapping) and part.get("type") in _SPOKEN and is_blank(part.get(part["type"])) for part in content
        )
    return content is None


def unsupported(message: str) -> ProviderError:
    """Return the error for a conversation that this vendor does not support, so that the mesh tries another one."""
    return provider_error(FailureClass.CAPABILITY, f"{message} Nothing was sent.", status=400, code="unsupported_parameter")


def invalid(message: str) -> ProviderError:
    """Return the error for a conversation that no vendor accepts."""
    return provider_error(FailureClass.CALLER, f"{message} Nothing was sent.", status=400)

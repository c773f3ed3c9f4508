"""``client.capability(name)``: any capability by its name, also one without an operation of OpenAI's API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelmesh.capabilities import operation_of
from modelmesh.client.attribute_dict import AttributeDict
from modelmesh.client.replies import Reply
from modelmesh.client.resources.resource import AsyncResource, Method, SyncResource
from modelmesh.contracts.operations import OPERATIONS, Operation

if TYPE_CHECKING:
    from modelmesh.client.base import BaseClient


class Capability:
    """One capability. A known one has the parameters and the reply of its operation."""

    def __init__(self, client: BaseClient, name: str) -> None:
        """Look the operation of a capability up.

        Args:
            client: The client.
            name: Short name or path, e.g. ``translation.text``.
        """
        self._client, self.name = client, name
        self.operation = operation_of(name)

    def call(self, **arguments: Any) -> Any:
        """Request the capability. Without ``model``, the nearest pool of the capability serves the request.

        Args:
            **arguments: The parameters of the operation, and the options of every call.

        Returns:
            The reply of the operation. JSON of another capability is a reply with the vendor's fields, and ``stream=True``
            returns a stream of events. On the asynchronous client the result is awaited.
        """
        found = _method(self._client, self.operation)
        return found(**{"model": self.name, **arguments})

    def __repr__(self) -> str:
        return f"<client.capability({self.name!r})>"


def _method(client: BaseClient, operation: Operation) -> Any:
    """Return the method of the client for an operation."""
    if operation.name in OPERATIONS and operation.name != "documents.parse":
        found: Any = client
        for part in operation.name.split("."):
            found = getattr(found, part)
        return found if callable(found) else found.create
    declared = Method(operation, None, reply=Reply, item=AttributeDict)
    kind = AsyncResource if client._is_async else SyncResource  # noqa: SLF001
    made: Any = kind(client._requests, client._defaults)  # noqa: SLF001 - as the client makes its resources
    return lambda **arguments: made._invoke(declared, arguments)  # noqa: SLF001

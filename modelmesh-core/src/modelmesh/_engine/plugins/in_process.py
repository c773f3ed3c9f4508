"""Registry of connectors that the running program adds, as opposed to installed ones."""

from __future__ import annotations

from typing import Any

CONNECTOR_REGISTRY: dict[str, type[Any]] = {}
"""Classes by ID. An assignment overwrites, :func:`register_connector` raises instead."""


def register_connector(connector_id: str, implementation: type[Any], *, replace: bool = False) -> None:
    """Make a class usable by ID in any configuration of this process.

    Args:
        connector_id: For example ``acme.llm.v1``.
        implementation: The connector class.
        replace: Whether an earlier class of the same ID may be replaced.

    Raises:
        ValueError: The ID is empty, or registered already.
    """
    if not connector_id:
        message = "register_connector() needs an ID such as 'acme.llm.v1'"
        raise ValueError(message)
    if connector_id in CONNECTOR_REGISTRY and not replace and CONNECTOR_REGISTRY[connector_id] is not implementation:
        message = f"{connector_id!r} is registered already. Pass replace=True to replace it by {implementation.__name__}"
        raise ValueError(message)
    CONNECTOR_REGISTRY[connector_id] = implementation

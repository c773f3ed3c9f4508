"""Connectors registered by the running program rather than by an installed distribution."""

from __future__ import annotations

from typing import Any

CONNECTOR_REGISTRY: dict[str, type[Any]] = {}
"""Classes by ID. Assigning overwrites; :func:`register_connector` refuses to."""


def register_connector(connector_id: str, implementation: type[Any], *, replace: bool = False) -> None:
    """Make a class usable by ID in any configuration of this process.

    Args:
        connector_id: For example ``acme.llm.v1``.
        implementation: The connector class.
        replace: Whether a class registered before under the same ID may be replaced.

    Raises:
        ValueError: The ID is empty, or taken.
    """
    if not connector_id:
        message = "register_connector() needs an ID such as 'acme.llm.v1'"
        raise ValueError(message)
    if connector_id in CONNECTOR_REGISTRY and not replace and CONNECTOR_REGISTRY[connector_id] is not implementation:
        message = f"{connector_id!r} is registered already; pass replace=True to put {implementation.__name__} in its place"
        raise ValueError(message)
    CONNECTOR_REGISTRY[connector_id] = implementation

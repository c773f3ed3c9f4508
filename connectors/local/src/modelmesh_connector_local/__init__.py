"""A small model in process: ``modelmesh.local.v1``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelmesh_connector_local.provider import LocalProvider as LocalProvider

__all__ = ["LocalProvider"]


def __getattr__(name: str) -> object:
    if name == "LocalProvider":  # the command line loads this package for its commands, which need no runtime
        from modelmesh_connector_local.provider import LocalProvider  # noqa: PLC0415

        return LocalProvider
    message = f"module 'modelmesh_connector_local' has no attribute {name!r}"
    raise AttributeError(message)

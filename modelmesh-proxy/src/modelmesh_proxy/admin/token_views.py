"""Tokens for the administration interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from modelmesh._engine.gateway.messages import HttpError

if TYPE_CHECKING:
    from modelmesh_proxy.services import ProxyServices


async def tokens(services: ProxyServices) -> dict[str, Any]:
    """Return every token without its text."""
    del services
    return {"tokens": [], "available": False}


async def create(services: ProxyServices, settings: dict[str, Any]) -> dict[str, Any]:
    """Create a token and return its text, this once."""
    del services, settings
    _no_store()


async def rotate(services: ProxyServices, name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Replace the text of a token and return the new one, this once."""
    del services, name, settings
    _no_store()


async def revoke(services: ProxyServices, name: str) -> dict[str, Any]:
    """Revoke a token."""
    del services, name
    _no_store()


def _no_store() -> NoReturn:
    raise HttpError(
        501, "This proxy has no store of tokens. Add the section storage to its configuration.", code="no_token_store"
    )

"""The registry of tokens of a running proxy, for its administration interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from modelmesh._engine.builtin.memory import MemoryStorage
from modelmesh_proxy.tokens.amounts import amounts_of_mesh
from modelmesh_proxy.tokens.authenticator import TokenAuthenticator
from modelmesh_proxy.tokens.registry import TokenRegistry
from modelmesh_proxy.tokens.token_info import TokenInfo
from modelmesh_proxy.tokens.token_store import TokenStore

if TYPE_CHECKING:
    from modelmesh_proxy.services import ProxyServices

Result = TypeVar("Result")

NO_STORE = (
    "Tokens need a storage that outlives the proxy. Add one to the configuration, for example "
    "storage: {connector: modelmesh.sqlite.v1, path: ./mesh-state.db, sync_policy: immediate}, "
    "or list the tokens under proxy.auth.tokens."
)


def registry_of(services: ProxyServices) -> TokenRegistry | None:
    """Return the registry of a proxy, ``None`` without a storage that outlives it.

    A token that ended with the process would leave the proxy open after the next start.
    """
    state = services.mesh.state
    if state is None or isinstance(state.storage, MemoryStorage) or _has_temporary_store(services):
        return None
    return TokenRegistry(TokenStore(state.storage), amounts_of_mesh(services.mesh))


def _has_temporary_store(services: ProxyServices) -> bool:
    storage = services.mesh.config.raw.get("storage") if services.temporary_store is not None else None
    return isinstance(storage, Mapping) and storage.get("path") == services.temporary_store


def static_tokens_of(services: ProxyServices) -> list[TokenInfo]:
    """Return the tokens of the configuration, with what is left of their limits."""
    authenticator = services.authenticator
    if not isinstance(authenticator, TokenAuthenticator):
        return []
    amounts = amounts_of_mesh(services.mesh)
    return [TokenInfo(record, amounts(record)) for record in authenticator.records() if record.is_static]


def change(services: ProxyServices, action: Callable[[TokenRegistry], Result]) -> Result | None:
    """Run a change in this thread, and apply it in this process at once. It may block. ``None`` without a storage for tokens.

    Args:
        services: The proxy.
        action: Changes the registry, for example ``lambda registry: registry.revoke("shop")``.
    """
    registry = registry_of(services)
    if registry is None:
        return None
    result = action(registry)
    if isinstance(services.authenticator, TokenAuthenticator):
        services.authenticator.refresh()
    return result

"""Log lines of the start of a proxy: address, pools and warnings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from modelmesh_proxy.application.loopback import is_loopback

if TYPE_CHECKING:
    from modelmesh import ModelMesh
    from modelmesh_proxy.settings import ProxySettings

SHOWN_POOLS = 12


def start_lines(url: str, mesh: ModelMesh) -> Iterator[str]:
    """Yield the address, the configuration, the pools and the page."""
    yield f"ModelMesh serves {url}/v1 (stop: Ctrl-C)"
    file = mesh.config.source_map.file
    providers = list(dict.fromkeys(model.provider_id for model in mesh.list_models()))
    yield f"configuration: {file or 'none, detected'}; providers: {', '.join(providers) or 'none'}"
    pools = [f"{pool.name} ({len(pool.members)})" for pool in mesh.list_pools()]
    more = f" and {len(pools) - SHOWN_POOLS} more" if len(pools) > SHOWN_POOLS else ""
    yield f"pools (models): {', '.join(pools[:SHOWN_POOLS]) or 'none'}{more}"
    if mesh.proxy_section.ui:
        yield f"administration: {url}/ui"


def start_warnings(
    settings: ProxySettings, port: int, mesh: ModelMesh, workers: int = 1, *, has_tokens: bool = False
) -> Iterator[str]:
    """Yield what an operator should change.

    Args:
        settings: Settings of the proxy.
        port: Port that it listens on.
        mesh: Its mesh.
        workers: Number of worker processes.
        has_tokens: Whether the storage holds tokens.
    """
    section = settings.section
    protected = section.auth.enabled is not False and bool(settings.token or section.auth.tokens or has_tokens)
    if not is_loopback(section.host) and not protected:
        yield (
            f"NO TOKEN IS REQUIRED: every client that reaches {section.host}:{port} can send requests that you pay for. "
            "Set --token, create tokens (modelmesh tokens create NAME), or listen on 127.0.0.1."
        )
    if workers > 1 and (mesh.state is None or mesh.state.counters is None):
        yield (
            f"each of the {workers} workers counts budgets, quotas and health alone, because the storage has no shared counters. "
            "Limits apply per worker. Configure a storage that several processes share."
        )

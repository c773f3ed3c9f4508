"""Options that several commands share, and the client created from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from modelmesh.cli.stored_mesh import DEFAULT_CAPABILITY, read_state

if TYPE_CHECKING:
    from modelmesh import MeshConfig
    from modelmesh.client import MeshClient

_OPTIONS = (
    click.option("-c", "--config", metavar="PATH", help="Use this YAML or JSON file instead of detection."),
    click.option("-p", "--provider", "providers", multiple=True, metavar="NAME", help="Use only this provider. May be repeated."),
    click.option("--strategy", metavar="NAME", help="Use this strategy in every pool, e.g. round-robin."),
    click.option("--capability", metavar="NAME", help=f"Capability or pool of the request.  [default: {DEFAULT_CAPABILITY}]"),
)


@frozen
class Target:
    """The values of the shared options.

    Attributes:
        config: Path of a configuration, ``None`` to detect providers.
        providers: Only these providers, all when empty.
        strategy: Strategy of every pool, ``None`` for the pool's own.
        capability: Capability or pool, ``None`` when not given.
    """

    config: str | None = None
    providers: tuple[str, ...] = ()
    strategy: str | None = None
    capability: str | None = None

    @contextmanager
    def client(self, *, read_only: bool = False) -> Iterator[MeshClient]:
        """Create a client, and shut it down afterwards.

        Args:
            read_only: Whether the stored state is loaded but not changed, and no background task runs.

        Raises:
            ModelMeshError: There is no provider, or the configuration is invalid.
        """
        from modelmesh import create  # noqa: PLC0415 - the engine, not for --help
        from modelmesh._engine.create import assemble  # noqa: PLC0415

        settings = self._settings()
        detects = settings is None or settings.is_overlay
        arguments: dict[str, Any] = {"config": settings}
        if self.strategy is not None:
            arguments["strategy"] = self.strategy
        if detects and self.providers:
            arguments["providers"] = list(self.providers)
        has_capabilities = bool(settings is not None and settings.capabilities)
        wanted = () if self.capability is None and has_capabilities else (self.capability or DEFAULT_CAPABILITY,)
        with assemble(*wanted, **arguments).client if read_only else create(*wanted, **arguments) as client:
            if read_only:
                read_state(client.mesh)
            yield self._only_named(client) if not detects and self.providers else client

    def pool(self, client: MeshClient) -> str:
        """Return the ``model`` of a request: the given capability, else the default one, else the only pool."""
        from modelmesh.errors import CapabilityNotFoundError  # noqa: PLC0415 - the engine, not for --help

        if self.capability is not None:
            return self.capability
        try:
            client.mesh.get_router().resolve(DEFAULT_CAPABILITY)
        except CapabilityNotFoundError:
            pools = client.mesh.list_pools()
            return pools[0].name if len(pools) == 1 else DEFAULT_CAPABILITY
        return DEFAULT_CAPABILITY

    def _settings(self) -> MeshConfig | None:
        from modelmesh import MeshConfig  # noqa: PLC0415 - the engine, not for --help

        return None if self.config is None else MeshConfig.from_file(self.config)

    def _only_named(self, client: MeshClient) -> MeshClient:
        """Return a client whose calls use only the named providers. The restriction is not stored."""
        models = client.mesh.list_models()
        unknown = [name for name in self.providers if not any(name in model.account.names for model in models)]
        if unknown:
            known = ", ".join(dict.fromkeys(model.provider_id for model in models))
            message = f"{self.config} has no provider {unknown[0]!r}. It has: {known}."
            raise click.BadParameter(message, param_hint="--provider")
        return client.with_options(only_providers=self.providers)


def client_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the shared options to a command, which receives them as one argument ``target``."""

    @wraps(function)
    def with_target(
        *arguments: Any,
        config: str | None,
        providers: tuple[str, ...],
        strategy: str | None,
        capability: str | None,
        **rest: Any,
    ) -> Any:
        return function(*arguments, target=Target(config, providers, strategy, capability), **rest)

    decorated: Callable[..., Any] = with_target
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated

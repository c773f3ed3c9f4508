"""The options that several commands share, and the client that is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from modelmesh.cli.stored import DEFAULT_CAPABILITY, read_state

if TYPE_CHECKING:
    from modelmesh._engine.config import MeshConfig
    from modelmesh.client import MeshClient

_OPTIONS = (
    click.option("-c", "--config", metavar="PATH", help="Use this YAML or JSON file instead of what is detected."),
    click.option("-p", "--provider", "providers", multiple=True, metavar="NAME", help="Ask only this provider. May be repeated."),
    click.option("--strategy", metavar="NAME", help="Choose models by this strategy, e.g. round-robin."),
    click.option("--capability", metavar="NAME", help=f"Capability or pool to ask for.  [default: {DEFAULT_CAPABILITY}]"),
)


@frozen
class Target:
    """The values of the shared options.

    Attributes:
        config: Path of a configuration, ``None`` to detect providers.
        providers: Names to restrict the request to; empty for all.
        strategy: In place of every pool's own.
        capability: Capability or pool, ``None`` when it was not given.
    """

    config: str | None = None
    providers: tuple[str, ...] = ()
    strategy: str | None = None
    capability: str | None = None

    @contextmanager
    def client(self, *, looking: bool = False) -> Iterator[MeshClient]:
        """Make a client, and shut it down afterwards.

        Args:
            looking: Whether nothing will be asked, so that what is stored of earlier runs is read and left as it is.

        Raises:
            ModelMeshError: There is no provider, or the configuration is wrong.
        """
        from modelmesh._engine.create import assemble, create  # noqa: PLC0415 - the engine, not for --help

        settings = self._settings()
        detects = settings is None or settings.is_overlay
        arguments: dict[str, Any] = {"config": settings}
        if self.strategy is not None:
            arguments["strategy"] = self.strategy
        if detects and self.providers:
            arguments["providers"] = list(self.providers)
        stated = bool(settings is not None and settings.capabilities)
        wanted = () if self.capability is None and stated else (self.capability or DEFAULT_CAPABILITY,)
        with assemble(*wanted, **arguments).client if looking else create(*wanted, **arguments) as client:
            if looking:
                read_state(client.mesh)
            yield self._only_named(client) if not detects and self.providers else client

    def pool(self, client: MeshClient) -> str:
        """Return what to write as a request's ``model``: what was asked for, else the pool that is the obvious one."""
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
        from modelmesh._engine.config import MeshConfig  # noqa: PLC0415 - the engine, not for --help

        return None if self.config is None else MeshConfig.from_file(self.config)

    def _only_named(self, client: MeshClient) -> MeshClient:
        """Return a client whose calls stay with the named providers; nothing of it is stored."""
        models = client.mesh.list_models()
        unknown = [name for name in self.providers if not any(name in model.account.names for model in models)]
        if unknown:
            known = ", ".join(dict.fromkeys(model.provider_id for model in models))
            message = f"{self.config} has no provider {unknown[0]!r}. It has: {known}."
            raise click.BadParameter(message, param_hint="--provider")
        return client.with_options(only_providers=self.providers)


def client_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the shared options; it gets them as one argument ``target``."""

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

"""Hook specifications: every extension point that is not a connector, in the order of their calls.

A hook module registers in the entry-point group ``modelmesh.plugins``. Each function has the decorator ``@hookimpl``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from modelmesh.hooks import hookspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelmesh._engine.foundation.ids import Kind
    from modelmesh.contracts.models import ModelPricing
    from modelmesh.contracts.observability import RequestLogEntry, RoutingEvent


class Mesh(Protocol):
    """Members of a :class:`modelmesh.ModelMesh` that a lifecycle hook may use."""

    def list_models(self) -> Sequence[Any]:
        """Return every model of every pool, once."""

    def pool_status(self, pool: str | None = None) -> Mapping[str, Any]:
        """Return a summary of each pool's health, or of one."""

    def get_client(self) -> Any:
        """Return an asynchronous client of the mesh."""

    @property
    def client(self) -> Any:
        """A synchronous client of the mesh."""


# -- resolution: the first result that is not None counts ---------------------------------------------------------


@hookspec(firstresult=True)
def modelmesh_resolve_connector(kind: Kind, connector_id: str) -> type[Any] | None:
    """Return the class for an ID, or ``None`` to pass.

    Called once for each ID and mesh when the configuration names it. Must not do I/O. Installed connectors are looked up
    last, so a plugin can add or replace IDs.

    Args:
        kind: Kind of the connector.
        connector_id: Configured ID, e.g. ``groq.api.v1``.
    """


# -- prices: the first result that is not None counts ---------------------------------------------------------------


@hookspec(firstresult=True)
def modelmesh_price(connector_id: str, model_id: str) -> ModelPricing | None:
    """Return the list price of a model, or ``None`` to pass.

    Called once for each model of a mesh, when its price is first needed, e.g. after its first answer, and only if neither
    the configuration nor the connector has a price. Must not do I/O. The first exception is logged, and all are counted.

    Args:
        connector_id: ID of the provider connector, e.g. ``groq.api.v1``.
        model_id: The vendor's name of the model.
    """


# -- lifecycle: every plugin is called, none can veto ---------------------------------------------------------------


@hookspec
def modelmesh_mesh_ready(mesh: Mesh) -> None:
    """Handle a mesh that is assembled and about to serve."""


@hookspec
def modelmesh_mesh_closed(mesh: Mesh) -> None:
    """Handle a mesh that was shut down."""


# -- observation: called after the reply is ready with finished values, must never block ----------------------------


@hookspec
def modelmesh_routing_event(event: RoutingEvent) -> None:
    """Handle one routing event, e.g. a deactivated model."""


@hookspec
def modelmesh_request_finished(entry: RequestLogEntry) -> None:
    """Handle one finished request, successful or not."""


# -- command line ---------------------------------------------------------------------------------------------------


@hookspec
def modelmesh_cli_commands() -> list[Any]:
    """Return click commands for ``modelmesh``, e.g. a group named after the connector."""
    return []

"""Every extension point of ModelMesh that is not a connector, in the order the mesh meets them.

A hook module registers in the entry-point group ``modelmesh.plugins``; each function carries ``@hookimpl``.
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


# -- resolution: the first plugin that knows the ID answers ---------------------------------------------------------


@hookspec(firstresult=True)
def modelmesh_resolve_connector(kind: Kind, connector_id: str) -> type[Any] | None:
    """Return the class for an ID, or ``None`` to pass.

    Called once per ID and mesh, when the configuration names it. Must not do I/O. The catalogue of installed
    entry points is the last implementation, so a plugin can serve IDs from elsewhere or replace one.

    Args:
        kind: Which of the six kinds is wanted.
        connector_id: The ID as configured, e.g. ``groq.api.v1``.
    """


# -- prices: the first plugin that knows one answers ----------------------------------------------------------------


@hookspec(firstresult=True)
def modelmesh_price(connector_id: str, model_id: str) -> ModelPricing | None:
    """Return the list price of a model, or ``None`` to pass.

    Asked once for each model of a mesh, when it is assembled, and only where neither the configuration nor the
    connector's own data knows a price. Must not do I/O. What it raises is logged once and counted.

    Args:
        connector_id: ID of the provider connector, e.g. ``groq.api.v1``.
        model_id: The vendor's own name of the model.
    """


# -- lifecycle: every plugin is told, none can veto -----------------------------------------------------------------


@hookspec
def modelmesh_mesh_ready(mesh: Mesh) -> None:
    """Hear that a mesh is assembled and about to serve."""


@hookspec
def modelmesh_mesh_closed(mesh: Mesh) -> None:
    """Hear that a mesh was shut down."""


# -- observation: finished value objects, after the reply is ready; enqueue, never block ----------------------------


@hookspec
def modelmesh_routing_event(event: RoutingEvent) -> None:
    """Hear about one routing event, e.g. a model that was deactivated."""


@hookspec
def modelmesh_request_finished(entry: RequestLogEntry) -> None:
    """Hear about one finished request, answered or not."""


# -- command line ---------------------------------------------------------------------------------------------------


@hookspec
def modelmesh_cli_commands() -> list[Any]:
    """Return click commands to add to ``modelmesh``, e.g. a group named after the connector."""
    return []

"""Status of shared counts, for ``/ready``, metrics and the administration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelmesh_proxy.services import ReadinessProblem

if TYPE_CHECKING:
    from modelmesh import ModelMesh
    from modelmesh._engine.state.sync_status import CountsStatus


def counts_status(mesh: ModelMesh) -> CountsStatus:
    """Return whether the limits of a mesh compare the counts of all processes."""
    from modelmesh._engine.state.sync_status import WITHOUT_STORE  # noqa: PLC0415 - a mesh without storage imports no state

    return WITHOUT_STORE if mesh.state is None else mesh.state.get_counts_status()


def counts_report(mesh: ModelMesh) -> dict[str, Any]:
    """Return the fields of a report: ``counts``, and ``counts_reason`` while counts are local."""
    status = counts_status(mesh)
    return {"counts": status.counts} | ({"counts_reason": status.reason} if status.reason is not None else {})


def store_problem(mesh: ModelMesh) -> ReadinessProblem | None:
    """Return why the proxy refuses requests that a budget limits, ``None`` while it serves them."""
    status = counts_status(mesh)
    if not status.refuses_budgets:
        return None
    return ReadinessProblem(
        "store_unavailable", f"Requests that a budget limits are refused: {status.reason}. storage.on_store_down is refuse."
    )

"""Manual control of pools: rotation to the next model, and recovery of models in standby."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmesh._engine.foundation.wording import one_line, quote_name
from modelmesh._engine.routing.candidate_set import Candidates
from modelmesh.errors import CapabilityNotFoundError, NoActiveModelError

if TYPE_CHECKING:
    from modelmesh._engine.mesh.core import MeshCore
    from modelmesh._engine.mesh.engine import MeshEngine
    from modelmesh._engine.mesh.inspection import Inspection
    from modelmesh._engine.routing.router import Router
    from modelmesh._engine.telemetry.reporting import Reporter


def rotate_model(mesh: MeshEngine, pool: str, model: str) -> str:
    """Put a model of a pool in standby and return the ID of the next one. The model is named as ``provider/model``.

    Raises:
        NoActiveModelError: The model is not active, or there is no other active model.
    """
    return mesh._running.manual.rotate(pool, model)  # noqa: SLF001 - the public method rotates the current model


class ManualControl:
    """Changes of availability that a person requests."""

    def __init__(self, core: MeshCore, router: Router, reporter: Reporter, inspection: Inspection) -> None:
        self._core, self._router, self._reporter, self._inspection = core, router, reporter, inspection

    def rotate(self, pool: str, model: str | None = None) -> str:
        """Put a pool's current model in standby and return the ID of the next one.

        Args:
            pool: Name of the pool.
            model: The model to put in standby in place of the current one, as ``provider/model``.

        Raises:
            NoActiveModelError: There is no other active model. The current one stays active.
        """
        target = self._router.get_pool(pool)
        current = self._inspection.current(target)
        if model is not None:
            current = next((one for one in target.get_active_models() if str(one) == model), None)
        with self._core.lock:
            if current is None:
                message = f"pool {pool!r} has no active model to rotate from; see the reasons with client.explain({pool!r})."
                raise NoActiveModelError(message, pool_name=pool)
            successor = target.rotate(current)
        self._reporter.report_rotation(current, successor, pool)
        return (self._inspection.current(target) or successor).model_id

    def recover(self, pool: str, model: str | None = None) -> list[str]:
        """Make models of a pool active again and return those that were not, as ``provider/model``.

        Raises:
            CapabilityNotFoundError: There is no such pool, or the pool has no such model.
        """
        target = self._router.get_pool(pool)
        selected = Candidates(target, target.mask_of_model(model)) if model is not None else target.get_standby_models()
        if model is not None and not selected:
            names = ", ".join(str(member) for member in target.members)
            message = f"pool {pool!r} has no model {quote_name(model)}. It has: {one_line(names) or 'none'}."
            raise CapabilityNotFoundError(message, pool_name=pool)
        with self._core.lock:
            before = {id(candidate) for candidate in target.get_active_models()}
            for candidate in selected:
                target.recover(candidate)
            recovered = [candidate for candidate in target.get_active_models() if id(candidate) not in before]
        self._reporter.report_recovery()
        return [str(candidate) for candidate in recovered]

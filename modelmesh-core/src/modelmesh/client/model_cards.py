"""Replies of ``client.models``: the real models of a mesh in OpenAI's format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelmesh._engine.foundation.wording import MAX_NAME_CHARS, quote_name
from modelmesh._engine.routing.candidate_set import Candidates
from modelmesh._engine.routing.candidates import Candidate
from modelmesh.client.shapes.models import ModelCard, ModelList
from modelmesh.errors import CapabilityNotFoundError

if TYPE_CHECKING:
    from modelmesh._engine.mesh import MeshEngine


def list_cards(mesh: MeshEngine) -> ModelList:
    """Return every real model of every pool, in OpenAI's format."""
    rows = [_card(candidate) for candidate in mesh.list_models()]
    return ModelList({"object": "list", "data": rows})


def retrieve_card(mesh: MeshEngine, model: str) -> ModelCard:
    """Return one real model of a pool, by its ID with or without its provider.

    Raises:
        CapabilityNotFoundError: No pool has the model.
    """
    for pool in mesh.list_pools():
        found = Candidates(pool, pool.mask_of_model(model)).first()
        if found is not None:
            return ModelCard(_card(found))
    message = f"no pool has the model {quote_name(model)}. List the models: client.models.list()."
    raise CapabilityNotFoundError(message, pool_name=str(model)[:MAX_NAME_CHARS])


def _card(candidate: Candidate) -> dict[str, Any]:
    created = candidate.info.extra.get("created")
    known = int(created) if isinstance(created, int | float) and created > 0 else None
    return {"id": candidate.model_id, "object": "model", "created": known, "owned_by": candidate.provider_id}

"""Model lists in the formats of the vendors: the pools, their aliases, then the real models of all pools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelmesh._engine.foundation.wording import quote_name
from modelmesh._engine.gateway.dialects import Dialect
from modelmesh._engine.gateway.messages import HttpError

if TYPE_CHECKING:
    from modelmesh._engine.mesh import MeshEngine
    from modelmesh.contracts.caller import Caller

UNKNOWN_TIME = 0
"""``created`` of a pool, and of a model whose vendor states no time: OpenAI's type requires a number.

Anthropic's API defines the epoch as an unknown time. Our own client, whose type permits it, returns ``None``.
"""

MESH = "modelmesh"


def list_models(mesh: MeshEngine, dialect: Dialect, caller: Caller | None = None) -> dict[str, Any]:
    """Return the list of names that a request of a caller may use as its model."""
    rows = [_row(*one, dialect) for one in _models(mesh, caller)]
    if dialect is Dialect.GOOGLE:
        return {"models": rows}
    if dialect is Dialect.OPENAI:
        return {"object": "list", "data": rows}
    first, last = (rows[0]["id"], rows[-1]["id"]) if rows else (None, None)
    return {"data": rows, "has_more": False, "first_id": first, "last_id": last}


def retrieve_model(mesh: MeshEngine, name: str, dialect: Dialect, caller: Caller | None = None) -> dict[str, Any]:
    """Return one entry of the list, by its ID or as ``provider/model``.

    Raises:
        HttpError: The list has no such entry.
    """
    for model, owner, created in _models(mesh, caller):
        if name in (model, f"{owner}/{model}"):
            return _row(model, owner, created, dialect)
    message = f"There is no pool and no model {quote_name(name)}. List both with GET /v1/models."
    raise HttpError(404, message, code="model_not_found", param="model")


def _models(mesh: MeshEngine, caller: Caller | None) -> list[tuple[str, str, int]]:
    """Return name, owner and Unix time of each entry. A name stands once."""
    allowed = None if caller is None else caller.pools
    found: dict[str, tuple[str, str, int]] = {}
    pools = [pool for pool in mesh.list_pools() if allowed is None or pool.name in allowed]
    for pool in pools:
        found[pool.name] = (pool.name, MESH, UNKNOWN_TIME)
    for pool in pools:
        for alias in pool.aliases:
            found[alias] = (alias, MESH, UNKNOWN_TIME)
    for candidate in dict.fromkeys(candidate for pool in pools for candidate in pool.members):
        created = candidate.info.extra.get("created")
        known = int(created) if isinstance(created, int | float) and created > 0 else UNKNOWN_TIME
        found.setdefault(candidate.model_id, (candidate.model_id, candidate.provider_id, known))
    return list(found.values())


def _row(name: str, owner: str, created: int, dialect: Dialect) -> dict[str, Any]:
    if dialect is Dialect.GOOGLE:
        return {
            "name": f"models/{name}",
            "displayName": name,
            "description": f"Served by {owner}.",
            "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens", "embedContent"],
        }
    if dialect is Dialect.ANTHROPIC:
        from datetime import UTC, datetime  # noqa: PLC0415 - only for this format

        when = datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"type": "model", "id": name, "display_name": name, "created_at": when, "lifecycle": "active"}
    return {"id": name, "object": "model", "created": created, "owned_by": owner}

"""Rights of the callers of requests: the errors, and the parameters that would evade them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelmesh._engine.foundation.wording import MAX_NAME_CHARS, quote_name
from modelmesh.errors import ModelNotAllowedError

if TYPE_CHECKING:
    from modelmesh._engine.routing.pool import Pool
    from modelmesh.contracts.call import Call
    from modelmesh.contracts.caller import Caller

NAMING_MODELS = frozenset({"model", "models", "fallback", "fallbacks", "fallback_model", "fallback_models"})
"""Parameters with which some vendors select another model than the one of the request, in a body or a query."""

HAVING_MODELS = frozenset({"extra_body", "plugins", "tools"})
"""Parameters with parts that some vendors serve by another model, such as a tool that makes images."""

_MODEL_KEYS = NAMING_MODELS | {"allowed_models", "analysis_models"}


def check_parameters(call: Call, caller: Caller) -> None:
    """Check that no vendor selects another model for a request with limited pools.

    Raises:
        ModelNotAllowedError: A parameter names further models.
    """
    for payload in (call.payload, call.native.payload if call.native is not None else {}, call.options.query):
        name = _naming_models(payload)
        if name is not None:
            why = f"the parameter {name!r} names further models, which no limit on pools applies to"
            message = f"the token {quote_name(caller.name)} may not send the request: {why}. Nothing was sent. Omit {name!r}."
            raise ModelNotAllowedError(message, pool_name=call.pool[:MAX_NAME_CHARS], caller=caller.name)


def allowed_pools(caller: Caller | None, pools: Sequence[Pool]) -> Sequence[Pool]:
    """Return those of the pools that a caller may use. Errors name no others."""
    if caller is None or caller.pools is None:
        return pools
    return [pool for pool in pools if pool.name in caller.pools]


def _naming_models(payload: Mapping[str, Any]) -> str | None:
    """Return the parameter that names further models, ``None`` if there is none."""
    found = NAMING_MODELS & payload.keys()
    if found:
        return min(found)
    for name in sorted(HAVING_MODELS & payload.keys()):
        rows = payload[name]
        if isinstance(rows, Mapping) and _names_model(rows):
            return name
        if isinstance(rows, list | tuple) and any(isinstance(row, Mapping) and _names_model(row) for row in rows):
            return name
    return None


def _names_model(row: Mapping[str, Any]) -> bool:
    return not row.keys().isdisjoint(_MODEL_KEYS)


def not_allowed(caller: Caller, name: str) -> ModelNotAllowedError:
    """Return the error for a pool or model that a caller may not use."""
    pools = ", ".join(sorted(caller.pools or ())) or "no pool"
    message = (
        f"the token {quote_name(caller.name)} may not use {quote_name(name)}. Nothing was sent. It may use: {pools}. "
        "Use one of these, or ask the administrator of the proxy to allow more."
    )
    return ModelNotAllowedError(message, pool_name=name[:MAX_NAME_CHARS], caller=caller.name)

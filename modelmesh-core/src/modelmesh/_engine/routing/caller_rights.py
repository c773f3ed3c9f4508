"""Rights of the callers of requests: the errors, and the parameters that would evade them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmesh._engine.foundation.wording import MAX_NAME_CHARS, quote_name
from modelmesh.errors import ModelNotAllowedError

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call
    from modelmesh.contracts.caller import Caller

NAMING_MODELS = frozenset({"models", "fallbacks"})
"""Parameters with which some vendors select another model than the one of the request."""


def check_parameters(call: Call, caller: Caller) -> None:
    """Check that a request with limited pools lets no vendor select another model.

    Raises:
        ModelNotAllowedError: A parameter names further models.
    """
    for payload in (call.payload, call.native.payload if call.native is not None else {}):
        found = NAMING_MODELS & payload.keys()
        if found:
            name = min(found)
            why = f"the parameter {name!r} names further models, which no limit on pools applies to"
            message = f"the token {quote_name(caller.name)} may not send the request: {why}. Nothing was sent. Omit {name!r}."
            raise ModelNotAllowedError(message, pool_name=call.pool[:MAX_NAME_CHARS], caller=caller.name)


def not_allowed(caller: Caller, name: str) -> ModelNotAllowedError:
    """Return the error for a pool or model that a caller may not use."""
    pools = ", ".join(sorted(caller.pools or ())) or "no pool"
    message = (
        f"the token {quote_name(caller.name)} may not use {quote_name(name)}. Nothing was sent. It may use: {pools}. "
        "Use one of these, or ask the administrator of the proxy to allow more."
    )
    return ModelNotAllowedError(message, pool_name=name[:MAX_NAME_CHARS], caller=caller.name)

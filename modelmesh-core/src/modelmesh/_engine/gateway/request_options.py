"""Options of a call from the headers and the query of an HTTP request.

Headers of the caller travel to the vendor. Those that an SDK or an HTTP client adds by itself do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from attrs import evolve

from modelmesh._engine.gateway.messages import GatewayRequest, HttpError
from modelmesh.contracts.call import NO_OPTIONS, CallOptions
from modelmesh.contracts.headers import CREDENTIALS, FRAMING, unsendable

if TYPE_CHECKING:
    from modelmesh.contracts.caller import Caller

OWN_HEADERS = (
    FRAMING
    | CREDENTIALS
    | {
        "accept",
        "accept-encoding",
        "accept-language",
        "anthropic-dangerous-direct-browser-access",
        "anthropic-version",
        "content-type",
        "cookie",
        "forwarded",
        "openai-organization",
        "openai-project",
        "origin",
        "referer",
        "user-agent",
        "via",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-original-url",
        "x-real-ip",
        "x-request-id",
        "x-rewrite-url",
        "x-server-timeout",
    }
)
"""Headers of an SDK, an HTTP client, a browser or a reverse proxy.

Some servers read another method or path from them, which a caller must not choose under the key of the mesh.
"""

OWN_PREFIXES = ("x-stainless-", "sec-", "x-forwarded-", "x-goog-")

SESSION, PREFERRED, ONLY, RETRIES = (
    "x-modelmesh-session-id",
    "x-modelmesh-preferred-provider",
    "x-modelmesh-only-providers",
    "x-modelmesh-max-retries",
)
"""Headers with the options of a call that the SDKs lack. Not sent to the vendor."""

_PREFIX = "x-modelmesh-"
_MAX_DIGITS = 9


def options_of(request: GatewayRequest, defaults: CallOptions, *, query: bool = True) -> CallOptions:
    """Return the options of a request over the defaults.

    Args:
        request: The HTTP request.
        defaults: Options of every request of this gateway.
        query: Whether the query belongs to the options. Otherwise it belongs to the payload.

    Raises:
        HttpError: A header cannot be sent, or an option is not valid.
    """
    changes = {} if OWN_HEADERS.issuperset(request.headers) else _from_headers(request.headers, defaults)
    if query and request.query:
        changes["query"] = {**defaults.query, **grouped(request.query)}
    if request.timeout is not None:
        changes["timeout"] = request.timeout
    if defaults is NO_OPTIONS and not changes:
        return _of_caller(request.caller)
    if request.caller is not None:
        changes["caller"] = request.caller
    return evolve(defaults, **changes)


def _from_headers(given: Mapping[str, str], defaults: CallOptions) -> dict[str, Any]:
    """Return the options that headers state, and the headers that travel to the vendor."""
    headers: dict[str, str] = {}
    changes: dict[str, Any] = {}
    for name, value in given.items():
        if name in OWN_HEADERS or name.startswith(OWN_PREFIXES):
            continue
        if name.startswith(_PREFIX):
            changes |= _option(name, value)
            continue
        fault = unsendable(value, name)
        if fault is not None:
            raise HttpError(400, f"The header {name[:100]!r} {fault}. Nothing was sent.", param=name[:100])
        headers[name] = value
    if headers:
        changes["headers"] = {**defaults.headers, **headers}
    return changes


@lru_cache(maxsize=256)
def _of_caller(caller: Caller | None) -> CallOptions:
    """Return the options of all requests of a caller that state none."""
    return NO_OPTIONS if caller is None else CallOptions(caller=caller)


def grouped(query: Sequence[tuple[str, str]]) -> Mapping[str, Any]:
    """Return query parameters by name. A repeated one becomes a list."""
    values: dict[str, Any] = {}
    for name, value in query:
        if name not in values:
            values[name] = value
        else:
            earlier = values[name]
            values[name] = [*earlier, value] if isinstance(earlier, list) else [earlier, value]
    return values


def _option(name: str, value: str) -> dict[str, Any]:
    if name == SESSION:
        return {"session_id": value}
    if name == PREFERRED:
        return {"preferred_provider": value}
    if name == ONLY:
        return {"only_providers": frozenset(filter(None, map(str.strip, value.split(","))))}
    if name == RETRIES:
        if not value.isdecimal() or len(value) > _MAX_DIGITS:
            raise HttpError(400, f"{RETRIES} must be a whole number from 0 to 999999999, not {value[:100]!r}.", param=RETRIES)
        return {"max_retries": int(value)}
    raise HttpError(400, f"There is no option {name[:100]!r}. The options are {SESSION}, {PREFERRED}, {ONLY}, {RETRIES}.")

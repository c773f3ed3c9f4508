"""Tokens for the administration interface: plain data over the registry of the tokens.

The text of a token is in the answer to its creation and to its rotation, and nowhere else. Every function blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import fields_dict

from modelmesh._engine.foundation.units import parse_duration
from modelmesh._engine.gateway.messages import HttpError
from modelmesh._engine.limits.forecasts import in_usd
from modelmesh._engine.mesh.callers import read_caller_totals
from modelmesh.errors import StorageError
from modelmesh_proxy.tokens.administration import NO_STORE, change, registry_of, static_tokens_of
from modelmesh_proxy.tokens.records import TokenLimits
from modelmesh_proxy.tokens.registry import TokenRegistry
from modelmesh_proxy.tokens.token_checks import TokenError
from modelmesh_proxy.tokens.token_info import NewToken, TokenInfo

if TYPE_CHECKING:
    from modelmesh_proxy.services import ProxyServices

Result = TypeVar("Result")

_LIMITS = tuple(fields_dict(TokenLimits))
_SETTINGS = ("name", "pools", "team", "expires", "metadata", "admin", "metrics", *_LIMITS)
_STATUS = {"not_found": 404, "exists": 409}


def tokens(services: ProxyServices) -> dict[str, Any]:
    """Return every token and team without texts and digests."""
    with suppress(StorageError):  # the counts of this process are shown then
        read_caller_totals(services.mesh)
    registry = registry_of(services)
    stored = [] if registry is None else registry.list_tokens(revoked=True)
    teams = [] if registry is None else registry.list_teams()
    return {
        "has_store": registry is not None,
        "has_flag_token": services.settings.token is not None,
        "tokens": [_facts(one) for one in (*static_tokens_of(services), *stored)],
        "teams": [_facts(one) for one in teams],
    }


def create(services: ProxyServices, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Create a token and return its text, this once.

    Args:
        services: The proxy.
        settings: Name, and the options of ``modelmesh tokens create`` under their names. ``pools`` is a list.

    Raises:
        HttpError: A setting is unknown or invalid, the name is taken, or there is no store.
    """
    unknown = [name for name in settings if name not in _SETTINGS]
    if unknown:
        raise HttpError(400, f"There is no setting {unknown[0]!r}. A token has: {', '.join(_SETTINGS)}.", param=unknown[0])
    name, pools = settings.get("name"), settings.get("pools")
    if not isinstance(name, str) or not name:
        raise HttpError(400, "'name' must be the name of the token. Set it.", param="name")
    if pools is not None and not (isinstance(pools, list) and all(isinstance(one, str) for one in pools)):
        raise HttpError(400, "'pools' must be a list of names. Omit it to allow all pools.", param="pools")
    metadata = settings.get("metadata")
    if metadata is not None and not (isinstance(metadata, dict) and all(isinstance(one, str) for one in metadata.values())):
        raise HttpError(400, "'metadata' must be an object of texts. Omit it for none.", param="metadata")
    for right in ("admin", "metrics"):
        if not isinstance(settings.get(right, False), bool | None):
            raise HttpError(400, f"{right!r} must be true or false. Omit it for false.", param=right)
    if not isinstance(settings.get("team"), str | None):
        raise HttpError(400, "'team' must be the name of a team. Omit it for none.", param="team")
    limits = TokenLimits(**{key: settings[key] for key in _LIMITS if settings.get(key) is not None})
    return _new(
        _changed(
            services,
            lambda registry: registry.create(
                name,
                pools=pools,
                limits=limits,
                expires_in=_seconds(settings, "expires"),
                team=settings.get("team"),
                metadata=metadata,
                admin=settings.get("admin") is True,
                metrics=settings.get("metrics") is True,
            ),
        )
    )


def rotate(services: ProxyServices, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Replace the text of a token and return the new one, this once.

    Args:
        services: The proxy.
        name: The token.
        settings: ``grace``: how long the earlier text stays valid, for example ``1h``.

    Raises:
        HttpError: There is no such token, or no store.
    """
    grace = _seconds(settings, "grace") or 0.0
    return _new(_changed(services, lambda registry: registry.rotate(name, grace_s=grace)))


def revoke(services: ProxyServices, name: str) -> dict[str, Any]:
    """Revoke a token.

    Raises:
        HttpError: There is no such token, or no store.
    """
    return _facts(_changed(services, lambda registry: registry.revoke(name)))


def _changed(services: ProxyServices, action: Callable[[TokenRegistry], Result]) -> Result:
    try:
        result = change(services, action)
    except TokenError as error:
        raise HttpError(_STATUS.get(error.code, 400), error.message, code=error.code) from None
    if result is None:
        raise HttpError(409, NO_STORE, code="no_token_store")
    return result


def _new(made: NewToken) -> dict[str, Any]:
    return {**_facts(made.info), "token": made.text}


def _facts(info: TokenInfo) -> dict[str, Any]:
    facts = info.as_dict()
    facts["amounts"] = [in_usd(row) for row in facts["amounts"]]
    return facts


def _seconds(settings: Mapping[str, Any], name: str) -> float | None:
    given = settings.get(name)
    if given is None:
        return None
    try:
        return parse_duration(given)
    except ValueError as error:
        raise HttpError(400, f"{name!r} is not a duration: {error}", param=name) from None

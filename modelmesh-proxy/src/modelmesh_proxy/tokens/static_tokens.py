"""Tokens of the configuration: ``proxy.auth.tokens``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import fields_dict

from modelmesh._engine.foundation.secret import Secret
from modelmesh._engine.foundation.suggestions import did_you_mean
from modelmesh.errors import ConfigurationError
from modelmesh_proxy.tokens.records import TokenLimits, TokenRecord
from modelmesh_proxy.tokens.token_checks import BOTH_RIGHTS, NAME, is_amount
from modelmesh_proxy.tokens.token_text import digest_of

_LIMITS = tuple(fields_dict(TokenLimits))
_KEYS = ("name", "token", "pools", "team", "admin", "metrics", "metadata", *_LIMITS)


def static_tokens(rows: Sequence[Any]) -> list[TokenRecord]:
    """Return the tokens of ``proxy.auth.tokens``.

    Args:
        rows: Texts, and maps with ``token`` and any of ``name``, ``pools``, ``team``, ``admin``, ``metrics``, ``metadata``,
            ``budget_daily``, ``budget_monthly``, ``budget_total``, ``rpm`` and ``tpm``.

    Raises:
        ConfigurationError: A row is invalid.
    """
    found: dict[str, TokenRecord] = {}
    for place, row in enumerate(rows):
        where = f"proxy.auth.tokens[{place}]"
        record = _record(row if isinstance(row, Mapping) else {"token": row}, where, f"token-{place + 1}")
        if record.name in found:
            raise _error(where, f"the name {record.name!r} occurs twice. Give each token its own name.")
        found[record.name] = record
    return list(found.values())


def _record(row: Mapping[str, Any], where: str, default_name: str) -> TokenRecord:
    for key in row:
        if key not in _KEYS:
            raise _error(where, f"it has no key {key!r}.{did_you_mean(str(key), _KEYS)} The keys are {', '.join(_KEYS)}.")
    name = _plain(row.get("name", default_name))
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise _error(where, "a name has 1 to 64 letters, digits and any of ._@-, and begins with a letter or a digit.")
    admin, metrics = (_plain(row.get(key, False)) is True for key in ("admin", "metrics"))
    if admin and metrics:
        raise _error(where, f"{BOTH_RIGHTS} Remove one of the keys.")
    return TokenRecord(
        name=name,
        id=f"static:{name}",
        digest=digest_of(_text(row.get("token"), where)).hex(),
        pools=_pools(row.get("pools"), where),
        limits=TokenLimits(**{key: _amount(row[key], f"{where}.{key}") for key in _LIMITS if row.get(key) is not None}),
        team=None if row.get("team") is None else str(_plain(row["team"])),
        admin=admin,
        metrics=metrics,
        metadata={str(key): str(_plain(value)) for key, value in (row.get("metadata") or {}).items()},
        is_static=True,
    )


def _text(value: Any, where: str) -> str:
    text = _plain(value)
    if not isinstance(text, str) or not text.strip():
        raise _error(where, "it has no text. Write one, for example ${env:MODELMESH_TOKEN}.")
    if text.startswith("${"):
        raise _error(where, f"the reference {text} has no value. Set it before the proxy starts.")
    return text


def _pools(value: Any, where: str) -> tuple[str, ...] | None:
    pools = _plain(value)
    if pools is None:
        return None
    names = [part.strip() for part in pools.split(",")] if isinstance(pools, str) else [_plain(one) for one in pools]
    if not names or not all(isinstance(one, str) and one for one in names):
        raise _error(where, "pools must be a list of names of pools. Leave it out to allow all.")
    return tuple(dict.fromkeys(names))


def _amount(value: Any, where: str) -> Any:
    number = _plain(value)
    try:
        amount = float(number)
    except (TypeError, ValueError):
        amount = -1.0
    if isinstance(number, bool) or not is_amount(amount):
        raise _error(where, f"{number!r} is not a number from 0 to 8 billion.")
    return int(amount) if where.endswith("pm") else amount


def _plain(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else value


def _error(where: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"{where}: {why}", where=where)

"""What every provider can be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from attrs import field, fields_dict, frozen

from modelmesh.contracts import Secret, size
from modelmesh.errors import ConfigurationError
from modelmesh_cdk.wire.limits import MAX_EVENT


def _secret(value: Any) -> Secret | None:
    if value is None or isinstance(value, Secret):
        return value
    return Secret(str(value))


def _plain(headers: Any) -> dict[str, str]:
    """Header values as they are sent: one that came from a secret reference is a :class:`Secret`."""
    if not isinstance(headers, Mapping):
        message = "headers must be a map of names to values, e.g. headers: {X-Team: blue}"
        raise ConfigurationError(message)
    return {str(name): _sent(value) for name, value in headers.items()}


def _sent(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.reveal() if isinstance(value, Secret) else str(value)


def _is_bool(_: Any, attribute: Any, value: Any) -> None:
    if not isinstance(value, bool):
        message = f"{attribute.name} must be true or false, not {value!r}"
        raise ConfigurationError(message)


def _bytes(value: Any) -> int:
    try:
        return size(value)
    except ValueError as error:
        message = f"max_event is no size: {error}"
        raise ConfigurationError(message) from None


@frozen(kw_only=True)
class BaseProviderConfig:
    """Settings of a provider.

    Attributes:
        base_url: Address of the API, with or without its version; the connector's own when empty.
        api_key: The account's key; by default the connector's environment variable is read.
        models: IDs, maps or ``ModelInfo``; empty leaves the connector's catalogue.
        timeout: Seconds that a whole answer which is not streamed may take.
        max_retries: Second tries at one model; ``None`` leaves it to the pool.
        capabilities: Of models that state none of their own.
        auth_method: ``api_key``.
        max_connections: As many may be open at once.
        allow_http: Whether the key may go over plain ``http://`` to another machine.
        max_event: Bytes of one event of a stream, e.g. ``64MB`` for large pictures.
        headers: Sent with every request.
        http_client: An ``httpx2.Client`` of the caller's, for threads.
        http_async_client: An ``httpx2.AsyncClient`` of the caller's, for asyncio.
        options: Whatever else the configuration said; the connector reads what it knows.
    """

    base_url: str = ""
    api_key: Secret | None = field(default=None, converter=_secret, repr=False)
    models: Sequence[Any] = ()
    timeout: float | None = None
    max_retries: int | None = None
    capabilities: Sequence[str] = ()
    auth_method: str = "api_key"
    max_connections: int = 100
    allow_http: bool = field(default=False, validator=_is_bool)
    max_event: int = field(default=MAX_EVENT, converter=_bytes)
    headers: Mapping[str, str] = field(factory=dict, converter=_plain, repr=False)
    http_client: Any = field(default=None, repr=False)
    http_async_client: Any = field(default=None, repr=False)
    options: Mapping[str, Any] = field(factory=dict, repr=False)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Read a map; keys that no field has go to ``options``."""
        known = {name: value for name, value in settings.items() if name in fields_dict(cls) and name != "options"}
        rest = {name: value for name, value in settings.items() if name not in known and name != "options"}
        return cls(**known, options={**settings.get("options", {}), **rest})

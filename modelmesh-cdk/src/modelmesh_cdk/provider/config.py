"""Settings of provider connectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from attrs import field, fields_dict, frozen

from modelmesh.contracts import Secret, parse_size
from modelmesh.errors import ConfigurationError
from modelmesh_cdk.wire.limits import MAX_EVENT


def _secret(value: Any) -> Secret | None:
    if value is None or isinstance(value, Secret):
        return value
    return Secret(str(value))


def _plain(headers: Any) -> dict[str, str]:
    """Return headers with values as they are sent. A value of a secret reference is a :class:`Secret`."""
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
        return parse_size(value)
    except ValueError as error:
        message = f"max_event is not a size: {error}"
        raise ConfigurationError(message) from None


@frozen(kw_only=True)
class BaseProviderConfig:
    """Settings of a provider.

    Attributes:
        base_url: Address of the API, with or without its version. Empty for the connector's default.
        api_key: The API key. By default the connector reads its environment variable.
        models: IDs, maps or ``ModelInfo``. Empty for the connector's catalogue.
        timeout: Seconds that an answer without streaming may take.
        max_retries: Retries at one model. ``None`` for the setting of the pool.
        capabilities: Capabilities of models that state none.
        auth_method: For information only: the connector determines how it authenticates.
        max_connections: Open connections at most.
        allow_http: Whether the key may travel over plain ``http://`` to another machine.
        max_event: Bytes of one stream event at most, for example ``64MB`` for large images.
        headers: Headers of every request.
        transport: ``fast`` (HTTP/1.1 over llhttp) or ``httpx2``. ``None`` for ``MODELMESH_TRANSPORT``, else for ``fast`` where
            httptools is installed and the environment names no proxy.
        http_client: A client of the caller: ``httpx2.Client`` or ``httpx.Client`` for threads, ``AsyncClient`` for asyncio.
        http_async_client: A second client of the caller, for asyncio.
        options: All other settings of the configuration, for the connector.
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
    transport: str | None = None
    http_client: Any = field(default=None, repr=False)
    http_async_client: Any = field(default=None, repr=False)
    options: Mapping[str, Any] = field(factory=dict, repr=False)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Read a map. Unknown keys go to ``options``."""
        known = {name: value for name, value in settings.items() if name in fields_dict(cls) and name != "options"}
        rest = {name: value for name, value in settings.items() if name not in known and name != "options"}
        return cls(**known, options={**settings.get("options", {}), **rest})

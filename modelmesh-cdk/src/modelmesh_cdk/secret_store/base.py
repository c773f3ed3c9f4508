"""Base class of secret stores, with a cache of values."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from threading import Lock
from typing import Any, ClassVar, Self

from attrs import field, fields_dict, frozen

from modelmesh.contracts import parse_duration
from modelmesh_cdk.declared_options import DeclaresOptions


@frozen(kw_only=True)
class BaseSecretStoreConfig:
    """Settings of a secret store.

    Attributes:
        cache_enabled: Whether values are cached in memory.
        cache_ttl: Lifetime of a cached value in seconds.
        fail_on_missing: Whether a missing name is an error rather than an empty value.
        options: All other settings.
    """

    cache_enabled: bool = True
    cache_ttl: float = field(default=300.0, converter=parse_duration)
    fail_on_missing: bool = True
    options: Mapping[str, Any] = field(factory=dict, repr=False)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Read settings from a map. Unknown keys go to ``options``."""
        settings = dict(settings)
        if "cache_ttl_ms" in settings:
            settings["cache_ttl"] = settings.pop("cache_ttl_ms") / 1000
        settings.pop("reload_on_rotation", None)
        known = {name: value for name, value in settings.items() if name in fields_dict(cls) and name != "options"}
        return cls(**known, options={name: value for name, value in settings.items() if name not in known})


class BaseSecretStore(DeclaresOptions):
    """Base class that caches the values of :meth:`_resolve`. A store overrides that method.

    Attributes:
        id: Connector ID, equal to the entry point's name.
    """

    id: ClassVar[str] = "modelmesh.base-secret-store.v1"
    config_class: ClassVar[type[BaseSecretStoreConfig]] = BaseSecretStoreConfig
    _base_settings: ClassVar[Collection[str]] = ("cache_ttl_ms",)

    def __init__(self, config: Mapping[str, Any] | BaseSecretStoreConfig | None = None) -> None:
        self.config = config if isinstance(config, BaseSecretStoreConfig) else self.config_class.of(config or {})
        self._cache: dict[str, tuple[float, str]] = {}
        self._lock = Lock()

    def _resolve(self, name: str) -> str | None:
        """Return the value of a secret, or ``None``. Override this."""
        return None

    def get(self, name: str) -> str:
        """Return the value of a secret.

        Raises:
            KeyError: The secret does not exist, and ``fail_on_missing`` is true.
        """
        now = time.monotonic()
        with self._lock:
            kept = self._cache.get(name)
        if kept is not None and now < kept[0]:
            return kept[1]
        value = self._resolve(name)
        if value is None:
            if self.config.fail_on_missing:
                message = f"Secret not found: {name}"
                raise KeyError(message)
            return ""
        if self.config.cache_enabled:
            with self._lock:
                self._cache[name] = (now + self.config.cache_ttl, value)
        return value

    def clear_cache(self) -> None:
        """Clear the cache, so that the next read goes to the source."""
        with self._lock:
            self._cache.clear()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"

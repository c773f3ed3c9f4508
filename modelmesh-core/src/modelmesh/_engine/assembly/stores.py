"""Construction of the secret store and of the state storage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import fields_dict

from modelmesh._engine.assembly.connector_options import check_options, declared
from modelmesh._engine.config.problems import Problems, UncheckableError
from modelmesh._engine.config.references import References, literals
from modelmesh._engine.config.schema import SecretsSection, StorageSection
from modelmesh._engine.config.source_map import KeyPath
from modelmesh._engine.foundation.ids import Kind
from modelmesh._engine.plugins.resolver import Resolver, build_at
from modelmesh.contracts.secret_store import SecretStore
from modelmesh.contracts.storage import Storage
from modelmesh.errors import ConfigurationError

_PARTS = ("persistence", "locking")

COMMON = ("cache_enabled", "cache_ttl", "cache_ttl_ms", "reload_on_rotation", "fail_on_missing")
"""Keys of ``secrets`` that every store accepts, whether or not it supports them."""


def build_references(section: SecretsSection | None, resolver: Resolver, problems: Problems) -> References:
    """Return the resolver of references, which resolves none if the store cannot be built."""
    with problems.collecting("secrets"):
        if section is not None:
            return References(_build_secret_store(section, resolver, problems), problems.source_map, problems)
    return References(None, problems.source_map, problems, known=False)


def _build_secret_store(section: SecretsSection, resolver: Resolver, problems: Problems) -> SecretStore:
    source_map, path = problems.source_map, ("secrets", "config")
    if section.instance is not None:
        if not callable(getattr(section.instance, "get", None)):
            where = source_map.where(("secrets", "instance"))
            message = f"{where}: {type(section.instance).__name__} is not a secret store: missing method get(name)."
            raise ConfigurationError(message, where=where)
        return section.instance  # type: ignore[no-any-return]
    where = source_map.where(("secrets", "store"))
    cls = resolver.resolve(Kind.SECRET_STORE, section.store, where)
    _check_secrets(cls, section.config, path, problems)
    environment = References(None, source_map, problems)
    settings = environment.resolve(section.config, path)
    if environment.unresolved:
        raise UncheckableError(section.store)
    found: SecretStore = build_at(where, cls, settings, section.store, lambda name: source_map.where((*path, name)))
    return found


def _check_secrets(cls: Any, config: Mapping[str, Any], path: KeyPath, problems: Problems) -> None:
    known = declared(cls)
    own = {name: value for name, value in config.items() if known is None or name in known or name not in COMMON}
    check_options(cls, Kind.SECRET_STORE, own, path, problems, reserved=(*COMMON, *fields_dict(SecretsSection), "connector"))
    for name in config.keys() - own.keys():
        problems.note((*path, name), f"has no effect: the secret store {cls.id} does not read {name!r}")


def _check_storage(cls: Any, config: Mapping[str, Any], path: KeyPath, problems: Problems) -> None:
    known = declared(cls)
    apart = {} if known is None else {part: config[part] for part in _PARTS if part in config and part not in known}
    own = {name: value for name, value in config.items() if name not in apart}
    check_options(cls, Kind.STORAGE, own, path, problems, reserved=(*fields_dict(StorageSection), *_PARTS))
    for part, keys in apart.items():
        for name in keys:
            problems.note((*path, part, name), f"has no effect: the storage {cls.id} does not read {part!r}")


def build_storage(section: StorageSection, resolver: Resolver, references: References, problems: Problems) -> Storage:
    """Build the state storage.

    Raises:
        ConfigurationError: The object is not a storage, or rejects its settings.
        ConnectorError: The connector is unknown or broken.
    """
    source_map, store, path = problems.source_map, section.instance, ("storage", "config")
    if section.on_store_down == "refuse" and section.sync_policy != "immediate":
        what = f"has no effect with sync_policy: {section.sync_policy}, which shares no counts. Set sync_policy: immediate"
        problems.note(("storage", "on_store_down"), what)
    if store is None:
        where = source_map.where(("storage", "connector"))
        cls = resolver.resolve(Kind.STORAGE, section.connector, where)
        _check_storage(cls, section.config, path, problems)
        missing = references.unresolved
        settings = literals(references.plain(section.config, path))
        if references.unresolved > missing:
            raise UncheckableError(section.connector)
        store = build_at(where, cls, settings, section.connector, lambda name: source_map.where((*path, name)))
    if not isinstance(store, Storage):
        where = source_map.where(("storage", "instance" if section.instance is not None else "connector"))
        message = (
            f"{where}: {type(store).__name__} is not a storage: it needs an id and load, save, list, delete, stat and exists. "
            "Derive it from modelmesh.cdk.BaseStorage."
        )
        raise ConfigurationError(message, where=where)
    return store

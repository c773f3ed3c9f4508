"""Keys without effect in this version. Each is noted, and causes a ``NotEnforcedWarning``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import fields

from modelmesh._engine.config import schema
from modelmesh._engine.config.problems import Problems
from modelmesh._engine.config.source_map import KeyPath
from modelmesh._engine.foundation.suggestions import did_you_mean
from modelmesh._engine.telemetry.events import EVENT_GROUPS
from modelmesh.contracts.observability import EVENT_TYPES

NOT_IMPLEMENTED = "is read but not acted on by this version of modelmesh-core"

PROVIDER_KEYS = (
    ("batch", "supported"), ("batch", "max_items"), ("files", "upload"), ("files", "max_size"), ("fine_tuning", "supported"),
    ("quota", "query_current"), ("quota", "query_remaining"),
    ("discovery", "enumerate_models"), ("discovery", "model_details"), ("discovery", "capability_query"),
)  # fmt: skip
AUTH_KEYS = (("method",), ("key_rotation",))
MODEL_KEYS = (
    ("constraints", "max_images"), ("constraints", "max_file_size"), ("constraints", "supported_languages"),
    ("quota", "query_current"), ("quota", "query_remaining"),
)  # fmt: skip
_EVENTS = (*EVENT_GROUPS, *EVENT_TYPES)


def note_provider(section: schema.ProviderSection, path: KeyPath, problems: Problems) -> None:
    """Note the keys of a provider without effect."""
    _note(section, PROVIDER_KEYS, path, problems)


def note_auth(section: schema.AuthSection, path: KeyPath, problems: Problems) -> None:
    """Note the keys of ``auth`` without effect."""
    _note(section, AUTH_KEYS, path, problems)


def note_model(section: schema.ModelSection, path: KeyPath, problems: Problems) -> None:
    """Note the keys of a model without effect."""
    _note(section, MODEL_KEYS, path, problems)
    if "fine_tunable" in section.features:
        problems.note((*path, "features", "fine_tunable"), f"'fine_tunable' {NOT_IMPLEMENTED}")
    for name, value in (section.batch or {}).items():
        if name != "supported" and value is not None:
            problems.note((*path, "batch", name), f"{name!r} {NOT_IMPLEMENTED}")


def note_events(sink: schema.SinkSection, path: KeyPath, problems: Problems) -> None:
    """Note names in the event filter of a sink that match no event."""
    for name in sink.events or ():
        if name not in _EVENTS:
            problems.note((*path, "events"), f"{name!r} is not an event and never published.{did_you_mean(name, _EVENTS)}")


def note_without_discovery(
    providers: Mapping[str, schema.ProviderSection], discovery: tuple[schema.DiscoverySection, ...], problems: Problems
) -> None:
    """Note discovery settings of providers if the section ``discovery`` is missing."""
    for name, nothing in (("sync", schema.ProviderSyncSection()), ("health", schema.ProviderHealthSection())):
        if any(getattr(row, name) is not None for row in discovery):
            continue
        for key, provider in providers.items():
            if getattr(provider.discovery, name) != nothing:
                what = f"has no effect: there is no section 'discovery.{name}'. Add it"
                problems.note(("providers", key, "discovery", name), what)


def _note(section: Any, keys: tuple[tuple[str, ...], ...], path: KeyPath, problems: Problems) -> None:
    for steps in keys:
        value, default = section, None
        for step in steps:
            if value is None:
                break
            default = getattr(fields(type(value)), step).default
            value = getattr(value, step)
        if value is not None and value != default:
            problems.note((*path, *steps), f"{steps[-1]!r} {NOT_IMPLEMENTED}")

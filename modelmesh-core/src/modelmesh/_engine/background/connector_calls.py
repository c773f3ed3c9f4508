"""Calls to discovery connectors: an exception or an invalid result is logged and never stops the mesh."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import fields

from modelmesh._engine.plugins import attribution
from modelmesh.contracts.discovery import DiscoveredModels, DiscoveryReports, ProbeResult, SyncResult
from modelmesh.contracts.models import ModelInfo, ModelPricing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelmesh.contracts.discovery import Discovery

_log = logging.getLogger("modelmesh.discovery")


def call_sync(connector: Discovery, providers: Sequence[str]) -> SyncResult | None:
    """Return what a connector's ``sync`` found, or ``None`` when it raised or returned an invalid result."""
    result: Any = None
    try:
        result = connector.sync(list(providers))
    except Exception as error:  # noqa: BLE001 - a connector may raise anything; the mesh continues
        _log.warning("sync() of the %s raised %s", attribution.describe(connector), attribution.summarize(error, connector))
        return None
    if not isinstance(result, SyncResult):
        place, kind = attribution.locate_method(connector, "sync"), attribution.class_of(result).__name__
        _log.warning("sync() of the %s (%s) returned %s, not a SyncResult", attribution.describe(connector), place, kind)
        return None
    part = _invalid_part(result)
    if part is not None:
        place, described = attribution.locate_method(connector, "sync"), attribution.describe(connector)
        _log.warning("sync() of the %s (%s) returned a SyncResult whose %s is not a tuple of text", described, place, part)
        return None
    return result


def call_probe(connector: Discovery, provider: str) -> ProbeResult | None:
    """Return what a connector's ``probe`` found, or ``None`` when it raised or returned an invalid result."""
    result: Any = None
    try:
        result = connector.probe(provider)
    except Exception as error:  # noqa: BLE001 - a connector may raise anything; the mesh continues
        described, summary = attribution.describe(connector), attribution.summarize(error, connector)
        _log.warning("probe(%r) of the %s raised %s", provider, described, summary)
        return None
    if not isinstance(result, ProbeResult):
        place, kind = attribution.locate_method(connector, "probe"), attribution.class_of(result).__name__
        described = attribution.describe(connector)
        _log.warning("probe(%r) of the %s (%s) returned %s, not a ProbeResult", provider, described, place, kind)
        return None
    return result


def call_get_model_info(connector: Any, provider: str, model: str) -> ModelInfo:
    """Return the connector's metadata of a new model, or its bare name where the connector has none that is valid."""
    info: Any = None
    if isinstance(connector, DiscoveredModels):
        try:
            info = connector.get_model_info(provider, model)
        except Exception as error:  # noqa: BLE001 - a connector may raise anything; the mesh continues
            described, summary = attribution.describe(connector), attribution.summarize(error, connector)
            _log.warning("get_model_info(%r, %r) of the %s raised %s", provider, model, described, summary)
    if info is not None and not _is_metadata_of(info, model):
        place, described = attribution.locate_method(connector, "get_model_info"), attribution.describe(connector)
        _log.warning(
            "get_model_info(%r, %r) of the %s (%s) did not return a ModelInfo of that model", provider, model, described, place
        )
        info = None
    return ModelInfo(model, model) if info is None else info


def call_each(connectors: Sequence[Discovery], method: str) -> None:
    """Call a method without arguments on every connector that has it."""
    for connector in connectors:
        call = getattr(connector, method, None)
        if call is None:
            continue
        try:
            call()
        except Exception as error:  # noqa: BLE001 - a connector may raise anything; the others are still called
            described, summary = attribution.describe(connector), attribution.summarize(error, connector)
            _log.warning("%s() of the %s raised %s", method, described, summary)


def reports_of(connector: Discovery) -> DiscoveryReports | None:
    """Return the connector when it provides status reports, else ``None``."""
    return connector if isinstance(connector, DiscoveryReports) else None


def _invalid_part(result: SyncResult) -> str | None:
    """Return the name of the first attribute that is not a sequence of text."""
    for part in fields(SyncResult):
        value: Any = getattr(result, part.name)
        if not isinstance(value, tuple | list) or not all(isinstance(one, str) for one in value):
            return part.name
    return None


def _is_metadata_of(info: Any, model: str) -> bool:
    """Return whether a value is a ``ModelInfo`` of this model, with the types that pools and prices rely on."""
    if not isinstance(info, ModelInfo) or info.id != model:
        return False
    return (
        all(isinstance(one, str) for one in (info.upstream, *info.capabilities))
        and all(isinstance(part, Mapping) for part in (info.features, info.delivery, info.extra))
        and all(size is None or type(size) is int for size in (info.context_window, info.max_output_tokens))
        and isinstance(info.pricing, ModelPricing | None)
    )

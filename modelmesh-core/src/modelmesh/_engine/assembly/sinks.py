"""Construction of the event emitter: configured observability connectors and hook plugins."""

from __future__ import annotations

from attrs import fields

from modelmesh._engine.assembly.connector_options import check_options
from modelmesh._engine.config.normalize_sinks import OBSERVABILITY_PARTS
from modelmesh._engine.config.problems import Problems
from modelmesh._engine.config.references import References, literals
from modelmesh._engine.config.schema import SinkSection
from modelmesh._engine.config.source_map import KeyPath
from modelmesh._engine.foundation.ids import Kind
from modelmesh._engine.plugins.aliases import canonical_id
from modelmesh._engine.plugins.resolver import Resolver, build_at
from modelmesh._engine.plugins.validation import REQUIRED
from modelmesh._engine.telemetry.events import Emitter, Sink, event_types
from modelmesh._engine.telemetry.payloads import DetailLevel
from modelmesh.contracts.observability import Observability
from modelmesh.errors import ConfigurationError

NULL = "modelmesh.null.v1"
EVENT_HOOKS = ("modelmesh_routing_event", "modelmesh_request_finished")


def build_emitter(
    sections: tuple[SinkSection, ...], paths: tuple[KeyPath, ...], resolver: Resolver, references: References, problems: Problems
) -> Emitter:
    """Build the emitter with every sink. The null connector adds none. Problems are collected."""
    sinks = []
    for section, path in zip(sections, paths, strict=True):
        with problems.collecting("observability"):
            target = section.instance
            if target is None:
                target = _build_sink(section, path, resolver, references, problems)
            if target is not None:
                _check_methods(target, path, problems)
                sinks.append(
                    Sink(
                        target=target,
                        roles=frozenset(section.roles),
                        events=event_types(section.events),
                        level=DetailLevel(section.level),
                        max_payload_size=section.max_payload_size,
                        include_metadata=section.include_metadata,
                    )
                )
    listeners = tuple(
        (hook, implementation.function)
        for hook in EVENT_HOOKS
        for implementation in getattr(resolver.plugins.hook, hook).get_hookimpls()
    )
    return Emitter(tuple(sinks), listeners)


def _build_sink(
    section: SinkSection, path: KeyPath, resolver: Resolver, references: References, problems: Problems
) -> Observability | None:
    where = problems.source_map.where((*path, "connector"))
    cls = resolver.resolve(Kind.OBSERVABILITY, section.connector, where)
    reserved = (*OBSERVABILITY_PARTS, *(one.name for one in fields(SinkSection)))
    check_options(cls, Kind.OBSERVABILITY, section.config, (*path, "config"), problems, reserved=reserved)
    if canonical_id(section.connector, Kind.OBSERVABILITY) == NULL:
        return None
    settings = {"redact": section.redact, "min_severity": section.min_severity, **literals(section.config)}
    options = references.resolve(settings, (*path, "config"))
    found: Observability = build_at(
        where, cls, options, section.connector, lambda name: problems.source_map.where((*path, "config", name))
    )
    return found


def _check_methods(target: object, path: KeyPath, problems: Problems) -> None:
    """Reject a sink without a required method now, before it can fail a request."""
    for method in REQUIRED[Kind.OBSERVABILITY]:
        if not callable(getattr(target, method, None)):
            where = problems.source_map.where((*path, "instance"))
            message = (
                f"{where}: {type(target).__name__} is not an observability sink: missing method {method}(). "
                "Give an object with emit(event) and log(entry), e.g. one made from modelmesh.cdk.BaseObservability."
            )
            raise ConfigurationError(message, where=where)

"""Building what listens: configured connectors and hook plugins."""

from __future__ import annotations

from modelmesh.config.locate import Places
from modelmesh.config.references import References
from modelmesh.config.schema import SinkSection
from modelmesh.errors import ConfigurationError
from modelmesh.events import Emitter, Sink, expand
from modelmesh.ids import Kind
from modelmesh.registry.aliases import canonical_id
from modelmesh.registry.inspection import REQUIRED
from modelmesh.registry.resolver import Resolver, build

NULL = "modelmesh.null.v1"
HEARING = ("modelmesh_routing_event", "modelmesh_request_finished")


def build_emitter(sections: tuple[SinkSection, ...], resolver: Resolver, references: References, places: Places) -> Emitter:
    """Build every sink; the null connector is nobody."""
    sinks = []
    for section in sections:
        if section.instance is None and canonical_id(section.connector, Kind.OBSERVABILITY) == NULL:
            continue
        target = section.instance
        if target is None:
            where = places.where(("observability", "connector"))
            cls = resolver.resolve(Kind.OBSERVABILITY, section.connector, where)
            settings = {"redact": section.redact, "min_severity": section.min_severity, **section.config}
            target = build(cls, references.resolve(settings, ("observability",)), section.connector)
        _check(target, places)
        sinks.append(Sink(target, frozenset(section.roles), expand(section.events), section.level, section.max_payload_size))
    listeners = tuple(
        (hook, implementation.function)
        for hook in HEARING
        for implementation in getattr(resolver.plugins.hook, hook).get_hookimpls()
    )
    return Emitter(tuple(sinks), listeners)


def _check(target: object, places: Places) -> None:
    """A sink that lacks a method must be refused now, not fail a request that has its answer."""
    for method in REQUIRED[Kind.OBSERVABILITY]:
        if not callable(getattr(target, method, None)):
            where = places.where(("observability", "instance"))
            message = (
                f"{where}: {type(target).__name__} is no observability sink: it has no {method}(). "
                "Give an object with emit(event) and log(entry), e.g. one made from modelmesh.cdk.BaseObservability."
            )
            raise ConfigurationError(message, where=where)

"""Where the price of a model comes from: the configuration, the connector's dated data, then sources of prices."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping

from attrs import asdict, evolve

from modelmesh._engine.config.schema import PricingSection
from modelmesh._engine.plugins.resolver import Resolver
from modelmesh.contracts.models import ModelInfo, ModelPricing, PriceBand
from modelmesh.errors import ConfigurationError

CONFIGURED = "configuration"
HOOK = "modelmesh_price"

_log = logging.getLogger("modelmesh.plugins")


def configured_price(section: PricingSection, where: str) -> ModelPricing:
    """Build the price that a configuration states.

    Raises:
        ConfigurationError: A condition of a band is none.
    """
    facts = asdict(section, recurse=False)
    try:
        bands = []
        for band in facts.pop("bands"):
            stated = asdict(band, recurse=False)
            since = stated.pop("since")  # YAML reads a day as a day
            bands.append(PriceBand(**stated, since=None if since is None else str(since)))
        return ModelPricing(**facts, bands=bands, source=CONFIGURED)
    except ConfigurationError as error:
        message = f"{where}: {error.message} See 'pricing' in the reference of the configuration."
        raise ConfigurationError(message, where=where) from None


def at_no_charge(info: ModelInfo) -> ModelInfo:
    """Return a model as an account on its vendor's free tier has it; as it is where the tier is not known to have it.

    A price that the configuration states stays.
    """
    rows = info.extra.get("free_tier") or ()
    first = next((row for row in ([rows] if isinstance(rows, Mapping) else rows) if isinstance(row, Mapping)), None)
    if first is None or (info.pricing is not None and info.pricing.source == CONFIGURED):
        return info
    source, as_of = (str(first[name]) if name in first else None for name in ("source", "as_of"))
    return evolve(info, pricing=ModelPricing(0.0, 0.0, source=source, as_of=as_of))


class PriceSources:
    """The hook plugins that know prices, asked once for each model of unknown price.

    Attributes:
        failures: How often each raised, or answered with something that is no price.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self.failures: Counter[str] = Counter()

    def priced(self, connector_id: str, info: ModelInfo) -> ModelInfo:
        """Return a model with the first price that a source knows; as it is where it has one, or nobody knows."""
        if info.pricing is not None and info.pricing.known:
            return info
        pricing = self._ask(connector_id, info.name)
        return info if pricing is None else evolve(info, pricing=pricing)

    def _ask(self, connector_id: str, model_id: str) -> ModelPricing | None:
        facts = {"connector_id": connector_id, "model_id": model_id}
        for one in reversed(getattr(self._resolver.plugins.hook, HOOK).get_hookimpls()):  # pluggy's own order of asking
            name = one.plugin_name
            try:
                answered = one.function(*(facts[argument] for argument in one.argnames))
            except Exception as error:  # noqa: BLE001 - a broken source must not keep a mesh from starting
                self._failed(name, model_id, f"raised {type(error).__name__}: {error}")
                continue
            if isinstance(answered, ModelPricing):
                if answered.known:
                    return answered
            elif answered is not None:
                self._failed(name, model_id, f"answered with {type(answered).__name__}, which is no ModelPricing")
        return None

    def _failed(self, name: str, model_id: str, what: str) -> None:
        self.failures[name] += 1
        if self.failures[name] == 1:
            _log.warning("price source %s %s, asked for %s; further failures are only counted", name, what, model_id)

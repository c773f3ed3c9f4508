"""Model prices, in this order: the configuration, the connector's dated data, price plugins."""

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
    """Build the price from a configuration section.

    Raises:
        ConfigurationError: A condition of a price band is invalid.
    """
    facts = asdict(section, recurse=False)
    try:
        bands = []
        for band in facts.pop("bands"):
            stated = asdict(band, recurse=False)
            since = stated.pop("since")  # YAML reads a date as a date object
            bands.append(PriceBand(**stated, since=None if since is None else str(since)))
        return ModelPricing(**facts, bands=bands, source=CONFIGURED)
    except ConfigurationError as error:
        message = f"{where}: {error.message} See 'pricing' in the reference of the configuration."
        raise ConfigurationError(message, where=where) from None


def with_free_tier_price(info: ModelInfo) -> ModelInfo:
    """Return a model with price zero if the vendor's free tier includes it, else unchanged.

    A configured price stays.
    """
    rows = info.extra.get("free_tier") or ()
    first = next((row for row in ([rows] if isinstance(rows, Mapping) else rows) if isinstance(row, Mapping)), None)
    if first is None or (info.pricing is not None and info.pricing.source == CONFIGURED):
        return info
    source, as_of = (str(first[name]) if name in first else None for name in ("source", "as_of"))
    return evolve(info, pricing=ModelPricing(0.0, 0.0, source=source, as_of=as_of))


class PriceSources:
    """The price plugins, each called once for every model of unknown price.

    Attributes:
        failures: Number of exceptions and invalid prices by plugin name.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self.failures: Counter[str] = Counter()

    def priced(self, connector_id: str, info: ModelInfo) -> ModelInfo:
        """Return a model with the first known price, or unchanged if it has one or no plugin has one."""
        if info.pricing is not None and info.pricing.known:
            return info
        pricing = self._look_up(connector_id, info.name)
        return info if pricing is None else evolve(info, pricing=pricing)

    def _look_up(self, connector_id: str, model_id: str) -> ModelPricing | None:
        facts = {"connector_id": connector_id, "model_id": model_id}
        for one in reversed(getattr(self._resolver.plugins.hook, HOOK).get_hookimpls()):  # the order in which pluggy calls them
            name = one.plugin_name
            try:
                pricing = one.function(*(facts[argument] for argument in one.argnames))
            except Exception as error:  # noqa: BLE001 - a broken plugin must not stop a mesh from starting
                self._record_failure(name, model_id, f"raised {type(error).__name__}: {error}")
                continue
            if isinstance(pricing, ModelPricing):
                if pricing.known:
                    return pricing
            elif pricing is not None:
                self._record_failure(name, model_id, f"returned {type(pricing).__name__}, not a ModelPricing")
        return None

    def _record_failure(self, name: str, model_id: str, what: str) -> None:
        self.failures[name] += 1
        if self.failures[name] == 1:
            _log.warning("price plugin %s %s for %s. Further failures are only counted", name, what, model_id)

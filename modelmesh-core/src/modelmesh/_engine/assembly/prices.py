"""Model prices, in this order: the configuration, the connector's dated data, price plugins when a price is first needed."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from threading import RLock
from typing import Any

from attrs import asdict, evolve, fields

from modelmesh._engine.config.schema import PricingSection
from modelmesh._engine.plugins.resolver import Resolver
from modelmesh.contracts.models import ModelInfo, ModelPricing, PriceBand
from modelmesh.contracts.pricing import UnitPrices
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
        prices, units = UnitPrices.split(facts)
        return ModelPricing(**prices, bands=bands, units=units, source=CONFIGURED)
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


class _ModelOfPlugins(ModelInfo):
    """A model with a price that the plugins are queried for when it is first read, because their data is large.

    The slot of the price is empty until then, so a later access costs what that of any other model costs.
    """

    __slots__ = ("_look_up",)

    @classmethod
    def of(cls, info: ModelInfo, look_up: Callable[[_ModelOfPlugins], ModelPricing | None]) -> _ModelOfPlugins:
        """Return a copy of a model without its price. ``look_up`` stores the price and returns it."""
        made = object.__new__(cls)
        for name in _FACTS:
            object.__setattr__(made, name, getattr(info, name))
        object.__setattr__(made, "_look_up", look_up)
        return made

    def __getattr__(self, name: str) -> Any:
        if name != "pricing":
            message = f"{ModelInfo.__name__!r} object has no attribute {name!r}"
            raise AttributeError(message)
        return self._look_up(self)

    def __repr__(self) -> str:
        return repr(self._plain())

    def __eq__(self, other: object) -> bool:
        return self._plain() == other

    def __hash__(self) -> int:
        return hash(self._plain())

    def _plain(self) -> ModelInfo:
        return ModelInfo(pricing=self.pricing, **{name: getattr(self, name) for name in _FACTS})


_FACTS = tuple(one.name for one in fields(ModelInfo) if one.name != "pricing")
"""Fields of a model besides its price."""


class PriceSources:
    """The price plugins, each called once for every model of unknown price, when the price is first needed.

    Attributes:
        failures: Number of exceptions and invalid prices by plugin name.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._lock = RLock()
        self.failures: Counter[str] = Counter()

    def priced(self, connector_id: str, info: ModelInfo) -> ModelInfo:
        """Return a model that gets the first known price of the plugins, unchanged if it has one or there is no plugin."""
        if (info.pricing is not None and info.pricing.known) or not self._plugins():
            return info
        return _ModelOfPlugins.of(info, partial(self._store_price, connector_id, info.pricing))

    def _store_price(self, connector_id: str, stated: ModelPricing | None, model: _ModelOfPlugins) -> ModelPricing | None:
        with self._lock:
            try:
                found: ModelPricing | None = object.__getattribute__(model, "pricing")  # another thread was first
            except AttributeError:
                found = self._look_up(connector_id, model.name) or stated
                object.__setattr__(model, "pricing", found)
        return found

    def _plugins(self) -> list[Any]:
        """Return the implementations of the hook in the order in which pluggy calls them."""
        return getattr(self._resolver.plugins.hook, HOOK).get_hookimpls()[::-1]  # type: ignore[no-any-return]

    def _look_up(self, connector_id: str, model_id: str) -> ModelPricing | None:
        facts = {"connector_id": connector_id, "model_id": model_id}
        for one in self._plugins():
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

"""Model catalog: every model of a mesh, from the configuration, from catalogues and from discovery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from modelmesh._engine.assembly.model_names import ModelNameIndex, without_vendor
from modelmesh._engine.assembly.prices import PriceSources, configured_price, with_free_tier_price
from modelmesh._engine.assembly.provider_entry import ProviderEntry
from modelmesh._engine.assembly.providers import Providers
from modelmesh._engine.config.problems import Problems, UncheckableError
from modelmesh._engine.config.schema import ModelSection
from modelmesh._engine.config.source_map import SourceMap
from modelmesh._engine.foundation.suggestions import suggestion
from modelmesh._engine.limits.spending import CONFIGURED
from modelmesh._engine.routing.candidates import Candidate
from modelmesh.capabilities.derived import derived
from modelmesh.capabilities.nodes import CapabilityNode, CapabilityTree
from modelmesh.contracts.models import ModelInfo
from modelmesh.errors import ConfigurationError, ModelMeshError, ProviderError


class ModelCatalog:
    """Every model of a mesh. A model is one candidate, however many pools contain it.

    Attributes:
        candidates: The models.
        unlisted: Errors of providers that could not list their models, by key. Their models join later.
        has_lost_models: Whether an invalid model was left out, so that an empty pool may be a consequence.
    """

    def __init__(
        self,
        providers: Providers,
        tree: CapabilityTree,
        source_map: SourceMap,
        prices: PriceSources | None = None,
        problems: Problems | None = None,
    ) -> None:
        """Create an empty catalog.

        Args:
            providers: The providers.
            tree: The capabilities.
            source_map: Position of each key of the configuration.
            prices: Price sources for models of unknown price.
            problems: Collects problems.
        """
        self._problems = Problems(source_map) if problems is None else problems
        self._providers = providers
        self._tree = tree
        self._source_map = source_map
        self._prices = prices
        self._stated_nodes: dict[int, tuple[CapabilityNode, ...]] = {}
        self._derived_nodes: dict[int, tuple[CapabilityNode, ...]] = {}
        self._stated_paths: set[str] = set()
        self.has_lost_models = False
        self._known: set[tuple[str, str]] = set()
        self._names = ModelNameIndex()
        self._with_own_list: set[str] = set()
        self._listed_ids: dict[tuple[str, str], str] = {}  # of models that have another ID in the configuration
        self.candidates: list[Candidate] = []
        self.unlisted: dict[str, ProviderError] = {}

    def add_configured(self, sections: Mapping[str, ModelSection]) -> None:
        """Add the configured models, and the whole catalogue of each provider without any."""
        configured = self._with_own_list
        before = len(self._problems)
        for section in sections.values():
            with self._problems.collecting():
                where = self._source_map.where(("models", section.id, "provider"))
                entry = self._providers.one(section.provider, where)
                configured.add(entry.key)
                self._add(entry, self._from_section(section, entry, ("models", section.id)), ("models", section.id))
        for entry in self._providers:
            listed = entry.section.models
            if listed:
                configured.add(entry.key)
                for place, row in enumerate(listed):
                    with self._problems.collecting():
                        self._add(entry, self._from_provider_list(row, entry, place), ("providers", entry.key, "models", place))
            elif entry.key not in configured:
                with self._problems.collecting():
                    self._add_catalogue(entry)
        self.has_lost_models = len(self._problems) > before

    def _add_catalogue(self, entry: ProviderEntry) -> None:
        try:
            rows = entry.catalogue()
        except ProviderError as error:
            if self._problems.is_excused(f"provider {entry.key!r}"):
                self._providers.is_complete = False
            else:
                self.unlisted[entry.key] = error
        except ModelMeshError:
            self._providers.is_complete = False
            raise
        else:
            if entry.uses_vendor_list:
                rows = tuple(self._without_unknown_capabilities(info) for info in rows)
            # A server that lists none of the shipped models is not the vendor's own. All its models can chat.
            known = {info.id for info in entry.shipped_models()} if entry.uses_vendor_list else set()
            among_others = any(info.id in known for info in rows)
            for info in rows:
                self._add(entry, info, ("providers", entry.key), among_others=among_others)

    def add_named(self, name: str) -> bool:
        """Add a model that the caller named and no catalogue has, if its provider is unambiguous."""
        owners = [entry for entry in self._providers if any(name.startswith((f"{n}.", f"{n}/")) for n in entry.account.names)]
        owners = owners or (list(self._providers) if len(self._providers) == 1 else [])
        if len(owners) != 1:
            return False
        model_id = without_vendor(name, owners[0])
        self._add(owners[0], ModelInfo(model_id, model_id), ())
        return True

    def add_discovered(self, entry: ProviderEntry, info: ModelInfo) -> Candidate | None:
        """Add a model that was found while the mesh runs.

        The vendor's metadata is unvalidated, so unknown capability names are ignored. A model without capabilities gets none
        if the connector ships a catalogue, because a vendor's complete list contains many models that cannot chat.

        Returns:
            The candidate, or ``None`` if the model is known or the configuration lists the models of its provider.
        """
        if entry.key in self._with_own_list or (entry.key, info.id) in self._known:
            return None
        self._add(entry, self._without_unknown_capabilities(info), (), among_others=bool(entry.shipped_models()))
        return self.candidates[-1]

    def _without_unknown_capabilities(self, info: ModelInfo) -> ModelInfo:
        """Return a model of a vendor's list without its unknown capability names."""
        stated: Any = tuple(name for name in info.capabilities if self._tree.get_node(name) is not None)
        return evolve(info, capabilities=stated)

    def _from_provider_list(self, row: Any, entry: ProviderEntry, place: int) -> ModelInfo:
        if isinstance(row, ModelInfo):
            self._record_listed_id(entry, row.id, entry.shipped_row(row.name), row.name)
            return row
        if isinstance(row, str):
            model_id = without_vendor(row, entry)
            return entry.listed_row(model_id) or ModelInfo(model_id, model_id)
        if isinstance(row, Mapping) and isinstance(row.get("id"), str):
            from modelmesh._engine.config.structure import structure  # noqa: PLC0415 - only for models as maps within a provider

            path = ("providers", entry.key, "models", place)
            section, _ = structure({**row, "provider": entry.key}, ModelSection, path, self._problems)
            if section is None:
                raise UncheckableError(str(row["id"]))  # reported by the reader
            return self._from_section(section, entry, path)
        where = self._source_map.where(("providers", entry.key, "models", place))
        message = f"{where}: must be a model ID, or a map with an 'id'."
        raise ConfigurationError(message, where=where)

    def _from_section(self, section: ModelSection, entry: ProviderEntry, path: tuple[str | int, ...]) -> ModelInfo:
        model_id = without_vendor(section.id, entry)
        shipped = entry.listed_row(section.model or model_id)
        self._record_listed_id(entry, model_id, shipped, section.model or model_id)
        known = shipped or ModelInfo(model_id, model_id)
        stated: dict[str, Any] = {"id": model_id, "upstream": section.model or known.upstream or model_id}
        if section.capabilities is not None:
            stated["capabilities"] = section.capabilities
        limits = section.constraints
        for name in ("context_window", "max_output_tokens"):
            if getattr(limits, name) is not None:
                stated[name] = getattr(limits, name)
        if limits.max_output_tokens is not None:
            stated["extra"] = {**known.extra, CONFIGURED: True}
        if section.pricing is not None:
            stated["pricing"] = configured_price(section.pricing, self._source_map.where((*path, "pricing")))
        features = dict(section.features)
        streams = {"streaming": features.pop("streaming")} if "streaming" in features else {}
        delivery = {**known.delivery, **streams, **section.delivery}
        if section.batch:
            delivery["batch"] = True
        return evolve(known, features={**known.features, **features}, delivery=delivery, **stated)

    def _record_listed_id(self, entry: ProviderEntry, model_id: str, shipped: ModelInfo | None, name: str) -> None:
        listed = shipped.id if shipped is not None else name
        if listed != model_id:
            self._listed_ids[entry.key, model_id] = listed

    def listed_id(self, candidate: Candidate) -> str:
        """Return the ID of a model in the provider's own list. The configuration may define another ID."""
        return self._listed_ids.get((candidate.provider_id, candidate.model_id), candidate.model_id)

    def _add(self, entry: ProviderEntry, info: ModelInfo, path: tuple[str | int, ...], *, among_others: bool = False) -> None:
        if (entry.key, info.id) in self._known:
            return
        self._known.add((entry.key, info.id))
        if self._prices is not None:
            info = self._prices.priced(entry.account.connector_id, info)
        if entry.section.quota is not None and entry.section.quota.free_tier:
            info = with_free_tier_price(info)
        candidate = Candidate(info.id, info.name, info, entry.provider, entry.account)
        capabilities = info.capabilities or (entry.section.capabilities if among_others else entry.capabilities)
        nodes = tuple([self.node(name, (*path, "capabilities")) for name in capabilities])
        paths = [node.path for node in nodes]
        self._stated_paths.update(paths)
        self._stated_nodes[id(candidate)] = nodes
        self._derived_nodes[id(candidate)] = tuple([self._tree.ensure(path) for path in derived(paths, info.features)])
        self.candidates.append(candidate)

    def named(self, name: str) -> list[Candidate]:
        """Return the models that a name means, with or without the provider before it."""
        for candidate in self.candidates[len(self._names) :]:  # indexed here, because many meshes look up no name
            self._names.add(candidate)
        return self._names.find(name)

    def node(self, name: str, path: tuple[str | int, ...]) -> CapabilityNode:
        found = self._tree.get_node(name)
        if found is not None:
            return found
        if "." in name:
            return self._tree.ensure(name)
        where = self._source_map.where(path)
        near = self._tree.suggest(name)
        hint = suggestion(near)
        message = (
            f"{where}: unknown capability {name!r}.{hint} List them: modelmesh capabilities. A capability of your own needs a "
            f"dotted path, e.g. 'generation.text-generation.{name}'."
        )
        raise ConfigurationError(message, where=where)

    def offers(self, candidate: Candidate, wanted: CapabilityNode) -> bool:
        """Return whether a model has a capability or a more specific one, stated or derived."""
        if any(self._tree.covers(wanted, node) for node in self._stated_nodes[id(candidate)]):
            return True
        follows = (
            node for node in self._derived_nodes[id(candidate)] if node.path not in self._stated_paths
        )  # a stated capability is exact
        return any(self._tree.covers(wanted, node) for node in follows)

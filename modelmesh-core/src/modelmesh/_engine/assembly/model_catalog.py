"""Model catalog: every model of a mesh, and the assignment of models to pools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve

from modelmesh._engine.assembly.prices import PriceSources, configured_price, with_free_tier_price
from modelmesh._engine.assembly.providers import ProviderEntry, Providers
from modelmesh._engine.config.problems import Problems, UncheckableError
from modelmesh._engine.config.schema import ModelSection, PoolSection
from modelmesh._engine.config.source_map import SourceMap
from modelmesh._engine.foundation.suggestions import did_you_mean
from modelmesh._engine.limits.spending import CONFIGURED
from modelmesh._engine.routing.candidates import Candidate
from modelmesh.capabilities import PREDEFINED_POOLS
from modelmesh.capabilities.derived import DERIVED, derived
from modelmesh.capabilities.nodes import CapabilityNode, CapabilityTree
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.operations import CHAT, EMBEDDINGS
from modelmesh.errors import ConfigurationError, ModelMeshError, ProviderError


class ModelCatalog:
    """Every model of a mesh. A model is one candidate, however many pools contain it."""

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
        self._nodes: dict[int, list[CapabilityNode]] = {}
        self._derived: dict[int, list[CapabilityNode]] = {}
        self._stated: set[str] = set()
        self._lost_models = False
        self._seen: set[tuple[str, str]] = set()
        self._chosen: set[str] = set()
        self._listed_ids: dict[tuple[str, str], str] = {}  # of models that have another ID in the configuration
        self.candidates: list[Candidate] = []
        self.unlisted: dict[str, ProviderError] = {}
        """Errors of providers that could not list their models, by key. Their models join later."""

    # -- models -------------------------------------------------------------------------------------

    def add_configured(self, sections: Mapping[str, ModelSection]) -> None:
        """Add the configured models, and the whole catalogue of each provider without any."""
        configured = self._chosen
        before = len(self._problems)
        for section in sections.values():
            with self._problems.collecting():
                where = self._source_map.where(("models", section.id, "provider"))
                entry = self._providers.one(section.provider, where)
                configured.add(entry.key)
                self._add(entry, self._configured(section, entry, ("models", section.id)), ("models", section.id))
        for entry in self._providers:
            listed = entry.section.models
            if listed:
                configured.add(entry.key)
                for place, row in enumerate(listed):
                    with self._problems.collecting():
                        self._add(entry, self._listed(row, entry, place), ("providers", entry.key, "models", place))
            elif entry.key not in configured:
                with self._problems.collecting():
                    self._add_catalogue(entry)
        self._lost_models = len(self._problems) > before  # a pool may be empty because of an invalid model

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
        if entry.key in self._chosen or (entry.key, info.id) in self._seen:
            return None
        self._add(entry, self._without_unknown_capabilities(info), (), among_others=bool(entry.shipped_models()))
        return self.candidates[-1]

    def _without_unknown_capabilities(self, info: ModelInfo) -> ModelInfo:
        """Return a model of a vendor's list without its unknown capability names."""
        stated: Any = tuple(name for name in info.capabilities if self._tree.get_node(name) is not None)
        return evolve(info, capabilities=stated)

    def _listed(self, row: Any, entry: ProviderEntry, place: int) -> ModelInfo:
        if isinstance(row, ModelInfo):
            self._record_listed_id(entry, row.id, _called(row.name, entry.shipped_models()), row.name)
            return row
        if isinstance(row, str):
            return _from_catalogue(without_vendor(row, entry), entry) or ModelInfo(
                without_vendor(row, entry), without_vendor(row, entry)
            )
        if isinstance(row, Mapping) and isinstance(row.get("id"), str):
            from modelmesh._engine.config.structure import structure  # noqa: PLC0415 - only for models as maps within a provider

            path = ("providers", entry.key, "models", place)
            section, _ = structure({**row, "provider": entry.key}, ModelSection, path, self._problems)
            if section is None:
                raise UncheckableError(str(row["id"]))  # reported by the reader
            return self._configured(section, entry, path)
        where = self._source_map.where(("providers", entry.key, "models", place))
        message = f"{where}: must be a model ID, or a map with an 'id'."
        raise ConfigurationError(message, where=where)

    def _configured(self, section: ModelSection, entry: ProviderEntry, path: tuple[str | int, ...]) -> ModelInfo:
        model_id = without_vendor(section.id, entry)
        shipped = _from_catalogue(section.model or model_id, entry)
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
        if (entry.key, info.id) in self._seen:
            return
        self._seen.add((entry.key, info.id))
        if self._prices is not None:
            info = self._prices.priced(entry.account.connector_id, info)
        if entry.section.quota is not None and entry.section.quota.free_tier:
            info = with_free_tier_price(info)
        candidate = Candidate(info.id, info.name, info, entry.provider, entry.account)
        capabilities = info.capabilities or (entry.section.capabilities if among_others else entry.capabilities)
        nodes = [self._node(name, (*path, "capabilities")) for name in capabilities]
        paths = [node.path for node in nodes]
        self._stated.update(paths)
        self._nodes[id(candidate)] = nodes
        self._derived[id(candidate)] = [self._tree.ensure(path) for path in derived(paths, info.features)]
        self.candidates.append(candidate)

    def _node(self, name: str, path: tuple[str | int, ...]) -> CapabilityNode:
        found = self._tree.get_node(name)
        if found is not None:
            return found
        if "." in name:
            return self._tree.ensure(name)
        where = self._source_map.where(path)
        near = self._tree.suggest(name)
        hint = f" Did you mean {near!r}?" if near else ""
        message = (
            f"{where}: unknown capability {name!r}.{hint} List them: modelmesh capabilities. A capability of your own needs a "
            f"dotted path, e.g. 'generation.text-generation.{name}'."
        )
        raise ConfigurationError(message, where=where)

    # -- pools ----------------------------------------------------------------------------------------------------

    def target(self, section: PoolSection) -> CapabilityNode | None:
        """Return the capability of a pool, or ``None`` for a pool that only lists models or providers.

        Raises:
            ConfigurationError: The pool names no known capability and has no list.
        """
        stated = section.capability
        node = self._tree.get_node(stated or section.name)
        if node is not None:
            return node
        if stated is not None:
            return self._node(stated, ("pools", section.name, "capability"))
        if section.models is not None or section.providers is not None:
            return None
        where = self._source_map.where(("pools", section.name))
        near = self._tree.suggest(section.name)
        hint = f" Did you mean {near!r}?" if near else ""
        message = (
            f"{where}: {section.name!r} is not a capability.{hint} Add 'capability: chat-completion' (or another), "
            "or list the pool's 'models' or 'providers'."
        )
        raise ConfigurationError(message, where=where)

    def members(self, section: PoolSection, node: CapabilityNode | None) -> list[Candidate]:
        """Return the models of a pool, in order.

        Raises:
            ConfigurationError: The pool is empty, and no provider may still list its models. The message names the filter
                that matched no model.
        """
        path, before = ("pools", section.name), len(self._problems)
        found: list[Candidate] = list(self.candidates)
        if section.models is not None:
            self._check_listed(section.models, path)  # first, so that a misspelt name is not reported as an empty pool
        for key in ("providers", "excluded_providers"):
            self._accounts(getattr(section, key) or (), (*path, key))
        if len(self._problems) > before:
            raise UncheckableError(section.name)
        found = self._narrow(found, section, "capability", [c for c in found if self.offers(c, node)] if node else None)
        if section.providers is not None:
            order = self._accounts(section.providers, (*path, "providers"))
            found = self._narrow(found, section, "providers", [c for c in found if id(c.account) in order])
            found.sort(key=lambda candidate: order[id(candidate.account)])
        if section.excluded_providers:
            drop = self._accounts(section.excluded_providers, (*path, "excluded_providers"))
            found = self._narrow(found, section, "excluded_providers", [c for c in found if id(c.account) not in drop])
        if section.models is not None:
            found = self._narrow(found, section, "models", self._listed_members(found, section.models))
        if not found and not self.unlisted:
            raise self._empty(section, "no provider has a model", len(self.candidates))
        return found

    def accepts(self, section: PoolSection, node: CapabilityNode | None, candidate: Candidate) -> bool:
        """Return whether a pool accepts a model, by the same rules as :meth:`members`."""
        path = ("pools", section.name)
        if node is not None and not self.offers(candidate, node):
            return False
        account = id(candidate.account)
        if section.providers is not None and account not in self._accounts(section.providers, (*path, "providers")):
            return False
        if account in self._accounts(section.excluded_providers, (*path, "excluded_providers")):
            return False
        return section.models is None or any(matches_name(candidate, name) for name in section.models)

    def offered(self, node: CapabilityNode) -> list[Candidate]:
        """Return every model that a pool of this capability accepts."""
        return [candidate for candidate in self.candidates if self.offers(candidate, node)]

    def check_priorities(self, section: PoolSection) -> None:
        """Note the names in priority lists that match no model or provider. They may join later."""
        if self.unlisted or not self._providers.is_complete:
            return
        models = list(dict.fromkeys(c.model_id for c in self.candidates))
        for name in section.model_priority:
            if not any(matches_name(c, name) for c in self.candidates):
                self._check_known(section, "model", name, models)
        for name in section.provider_priority:
            if not self._providers.matching(name):
                self._check_known(section, "provider", name, [entry.key for entry in self._providers])

    def _check_known(self, section: PoolSection, kind: str, name: str, known: list[str]) -> None:
        if not self._providers.is_disabled(name):
            what = f"{name!r} has no effect: no {kind} of that name is configured.{did_you_mean(name, known)}"
            self._problems.note(("pools", section.name, f"{kind}_priority"), f"{what} Configured: {', '.join(known[:20])}")

    def default_pools(self) -> list[str]:
        """Return the default pools of a configuration without any: chat, and each predefined pool that has a model."""
        named = {"chat-completion": "chat-completion", **PREDEFINED_POOLS}
        nodes = {name: self._tree.get_node(path) for name, path in named.items()}
        return [name for name, node in nodes.items() if node is not None and self.offered(node)]

    def offers(self, candidate: Candidate, wanted: CapabilityNode) -> bool:
        """Return whether a model has a capability or a more specific one, stated or derived."""
        if any(self._tree.covers(wanted, node) for node in self._nodes[id(candidate)]):
            return True
        follows = (node for node in self._derived[id(candidate)] if node.path not in self._stated)  # a stated capability is exact
        return any(self._tree.covers(wanted, node) for node in follows)

    def _narrow(
        self, before: Sequence[Candidate], section: PoolSection, key: str, after: list[Candidate] | None
    ) -> list[Candidate]:
        if after is None:
            return list(before)
        if before and not after and not self.unlisted:
            raise self._empty(section, f"{key!r} matches none", len(before))
        return after

    def _empty(self, section: PoolSection, why: str, before: int) -> ConfigurationError:
        if self._lost_models or not self._providers.is_complete or ("pools", section.name, "models") in self._providers.invalid:
            return UncheckableError(section.name)
        where = self._source_map.where(("pools", section.name))
        if not len(self._providers):
            message = (
                f"{where}: the pool {section.name!r} is empty: no provider is configured, or all are disabled. Add one under "
                "'providers:', e.g. openai: {connector: openai.llm.v1}."
            )
            return ConfigurationError(message, where=where)
        have = ", ".join(sorted({c.provider_id for c in self.candidates})) or "no provider"
        wanted = section.capability or section.name
        message = (
            f"{where}: the pool {section.name!r} is empty: {why} of {before} models. Providers here: {have}. "
            f"{self._remedy(wanted)}"
        )
        return ConfigurationError(message, where=where)

    def _remedy(self, wanted: str) -> str:
        node = self._tree.get_node(wanted)
        chat, embeddings = (self._tree.get_node(row.capability) for row in (CHAT, EMBEDDINGS))
        served = [one for one in (chat, embeddings, *map(self._tree.get_node, DERIVED)) if one is not None]
        if node is not None and not any(self._tree.covers(node, one) for one in served):
            return (
                f"This version serves chat completions and embeddings, and its connectors have no model for {wanted!r}. "
                "A model of your own connector joins if it states that capability."
            )
        return f"Configure or install a provider that has {wanted!r}. List the installed ones: modelmesh connectors"

    def _accounts(self, names: Iterable[str], path: tuple[str | int, ...]) -> dict[int, int]:
        """Return the positions of the referenced accounts in the list, by ``id`` of the account."""
        found: dict[int, int] = {}
        for place, name in enumerate(names):
            with self._problems.collecting():
                matching = self._providers.matching(name)
                if not matching:
                    self._providers.one(name, self._source_map.where(path))
                for entry in matching:
                    found.setdefault(id(entry.account), place)
        return found

    def _check_listed(self, names: Sequence[str], path: tuple[str | int, ...]) -> None:
        known = list(dict.fromkeys(c.model_id for c in self.candidates))
        for name in names:
            if any(matches_name(c, name) for c in self.candidates) or self.unlisted or self._providers.may_have(name):
                continue
            choice = f", or choose one of: {', '.join(known[:20])}" if known else ""
            self._problems.add(
                (*path, "models"), f"no model {name!r} is known.{did_you_mean(name, known)} Add it under 'models:'{choice}."
            )

    def _listed_members(self, found: list[Candidate], names: Sequence[str]) -> list[Candidate]:
        kept: list[Candidate] = []
        for name in names:
            kept += [c for c in found if matches_name(c, name) and c not in kept]
        return kept


def without_vendor(name: str, entry: ProviderEntry) -> str:
    """Remove the provider's name before the ID of a model. Other dots are part of the ID."""
    for vendor in entry.vendors:
        for separator in (".", "/"):
            if name.startswith(vendor + separator):
                return name[len(vendor) + 1 :]
    return name


def matches_name(candidate: Candidate, name: str) -> bool:
    """Return whether a name means this model, with or without its provider before it."""
    if name in (candidate.model_id, candidate.upstream):
        return True
    return any(name == f"{vendor}{sep}{candidate.model_id}" for vendor in candidate.account.names for sep in "./")


def _from_catalogue(model_id: str, entry: ProviderEntry) -> ModelInfo | None:
    # Only the shipped list: a configured model must not cause a request to the vendor.
    shipped = entry.shipped_models() if hasattr(entry.provider, "shipped_models") else entry.provider.models()
    return _called(model_id, shipped)


def _called(name: str, rows: Iterable[ModelInfo]) -> ModelInfo | None:
    return next((info for info in rows if name in (info.id, info.upstream)), None)

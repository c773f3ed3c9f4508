"""Pool membership: which models a pool contains, by its capability and its filters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from modelmesh._engine.assembly.model_catalog import ModelCatalog
from modelmesh._engine.assembly.model_names import names_of
from modelmesh._engine.assembly.providers import Providers
from modelmesh._engine.config.problems import Problems, UncheckableError
from modelmesh._engine.config.schema import PoolSection
from modelmesh._engine.foundation.suggestions import did_you_mean, suggestion
from modelmesh._engine.plugins.local_models import how_to_install
from modelmesh._engine.routing.candidates import Candidate
from modelmesh.capabilities import PREDEFINED_POOLS, operation_of
from modelmesh.capabilities.nodes import CapabilityNode, CapabilityTree
from modelmesh.contracts.operations import OPERATIONS, REALTIME
from modelmesh.errors import ConfigurationError

_ACCOUNT_KEYS = ("providers", "excluded_providers")
"""Keys of a pool that name accounts."""


class PoolMembership:
    """Assigns the models of a catalog to pools."""

    def __init__(self, catalog: ModelCatalog, providers: Providers, tree: CapabilityTree, problems: Problems) -> None:
        """Store the inputs.

        Args:
            catalog: The models.
            providers: The providers.
            tree: The capabilities.
            problems: Collects problems.
        """
        self._catalog = catalog
        self._providers = providers
        self._tree = tree
        self._problems = problems
        self._source_map = problems.source_map
        self._listed_names: dict[str, frozenset[str]] = {}

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
            return self._catalog.node(stated, ("pools", section.name, "capability"))
        if section.models is not None or section.providers is not None:
            return None
        where = self._source_map.where(("pools", section.name))
        near = self._tree.suggest(section.name)
        hint = suggestion(near)
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
        if section.models is not None:
            self._check_model_names(section.models, path)  # first, so that a misspelt name is not reported as an empty pool
        orders = {key: self._account_positions(getattr(section, key) or (), (*path, key)) for key in _ACCOUNT_KEYS}
        if len(self._problems) > before:
            raise UncheckableError(section.name)
        filters = self._filters(section, node, orders)
        every = self._catalog.candidates
        # A list of names is read first: a pool of few models does not filter the models of the whole mesh.
        found = every if section.models is None else [one for name in section.models for one in self._catalog.named(name)]
        found = [one for one in dict.fromkeys(found) if all(accepts(one) for accepts in filters.values())]
        if section.providers is not None:
            found.sort(key=lambda candidate: orders["providers"][id(candidate.account)])
        if section.models is not None:
            found = self.members_by_name(found, section.models)
        if not found and not self._catalog.unlisted:
            raise self._no_members(section, filters)
        return found

    def _filters(
        self, section: PoolSection, node: CapabilityNode | None, orders: Mapping[str, Mapping[int, int]]
    ) -> dict[str, Callable[[Candidate], bool]]:
        """Return the filters of a pool by the key that states each, without that of its names."""
        filters: dict[str, Callable[[Candidate], bool]] = {}
        if node is not None:
            filters["capability"] = lambda candidate: self._catalog.offers(candidate, node)
        if section.providers is not None:
            filters["providers"] = lambda candidate: id(candidate.account) in orders["providers"]
        if section.excluded_providers:
            filters["excluded_providers"] = lambda candidate: id(candidate.account) not in orders["excluded_providers"]
        return filters

    def accepts(self, section: PoolSection, node: CapabilityNode | None, candidate: Candidate) -> bool:
        """Return whether a pool accepts a model, by the same rules as :meth:`members`."""
        path = ("pools", section.name)
        if node is not None and not self._catalog.offers(candidate, node):
            return False
        account = id(candidate.account)
        if section.providers is not None and account not in self._account_positions(section.providers, (*path, "providers")):
            return False
        if account in self._account_positions(section.excluded_providers, (*path, "excluded_providers")):
            return False
        return section.models is None or not self._names_in(section).isdisjoint(names_of(candidate))

    def _names_in(self, section: PoolSection) -> frozenset[str]:
        """Return the names that a pool lists, built once for each pool."""
        if section.name not in self._listed_names:
            self._listed_names[section.name] = frozenset(section.models or ())
        return self._listed_names[section.name]

    def offered(self, node: CapabilityNode) -> list[Candidate]:
        """Return every model that a pool of this capability accepts."""
        return [candidate for candidate in self._catalog.candidates if self._catalog.offers(candidate, node)]

    def check_priorities(self, section: PoolSection) -> None:
        """Note the names in priority lists that match no model or provider. They may join later."""
        if self._catalog.unlisted or not self._providers.is_complete:
            return
        for name in section.model_priority:
            if not self._catalog.named(name):
                self._note_unknown_priority(section, "model", name, self._model_ids())
        for name in section.provider_priority:
            if not self._providers.matching(name):
                self._note_unknown_priority(section, "provider", name, [entry.key for entry in self._providers])

    def _model_ids(self) -> list[str]:
        return list(dict.fromkeys(candidate.model_id for candidate in self._catalog.candidates))

    def _note_unknown_priority(self, section: PoolSection, kind: str, name: str, known: list[str]) -> None:
        if not self._providers.is_disabled(name):
            what = f"{name!r} has no effect: no {kind} of that name is configured.{did_you_mean(name, known)}"
            self._problems.note(("pools", section.name, f"{kind}_priority"), f"{what} Configured: {', '.join(known[:20])}")

    def default_pools(self) -> list[str]:
        """Return the default pools of a configuration without any: chat, and each predefined pool that has a model."""
        named = {"chat-completion": "chat-completion", **PREDEFINED_POOLS}
        nodes = {name: self._tree.get_node(path) for name, path in named.items()}
        return [name for name, node in nodes.items() if node is not None and self.offered(node)]

    def _no_members(self, section: PoolSection, filters: Mapping[str, Callable[[Candidate], bool]]) -> ConfigurationError:
        """Return the error of an empty pool. It names the first filter that no model passed."""
        left = list(self._catalog.candidates)
        for key, accepts in filters.items():
            passed = [candidate for candidate in left if accepts(candidate)]
            if left and not passed:
                return self._empty_pool_error(section, f"{key!r} matches none", len(left))
            left = passed
        if left:
            return self._empty_pool_error(section, "'models' matches none", len(left))
        return self._empty_pool_error(section, "no provider has a model", len(self._catalog.candidates))

    def _empty_pool_error(self, section: PoolSection, why: str, before: int) -> ConfigurationError:
        if (
            self._catalog.has_lost_models
            or not self._providers.is_complete
            or ("pools", section.name, "models") in self._providers.invalid
        ):
            return UncheckableError(section.name)
        where = self._source_map.where(("pools", section.name))
        if not len(self._providers):
            message = (
                f"{where}: the pool {section.name!r} is empty: no provider is configured, or all are disabled. Add one under "
                "'providers:', e.g. openai: {connector: openai.llm.v1}."
            )
            return ConfigurationError(message, where=where)
        have = ", ".join(sorted({c.provider_id for c in self._catalog.candidates})) or "no provider"
        wanted = section.capability or section.name
        message = (
            f"{where}: the pool {section.name!r} is empty: {why} of {before} models. Providers here: {have}. "
            f"{self._remedy(wanted)}"
        )
        return ConfigurationError(message, where=where)

    def _remedy(self, wanted: str) -> str:
        if operation_of(wanted).name not in OPERATIONS and not operation_of(wanted).name.endswith(REALTIME.capability):
            return (
                f"No connector of this version has a model for {wanted!r}. A model of your own connector joins if it states that "
                "capability."
            )
        local = how_to_install([wanted])
        instead = f". Or install a small model without a key: {local}" if local else ""
        return f"Configure or install a provider that has {wanted!r}. List the installed ones: modelmesh connectors{instead}"

    def _account_positions(self, names: Iterable[str], path: tuple[str | int, ...]) -> dict[int, int]:
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

    def _check_model_names(self, names: Sequence[str], path: tuple[str | int, ...]) -> None:
        for name in names:
            if self._catalog.named(name) or self._catalog.unlisted or self._providers.may_have(name):
                continue
            known = self._model_ids()
            choice = f", or choose one of: {', '.join(known[:20])}" if known else ""
            self._problems.add(
                (*path, "models"), f"no model {name!r} is known.{did_you_mean(name, known)} Add it under 'models:'{choice}."
            )

    def members_by_name(self, members: Sequence[Candidate], names: Sequence[str]) -> list[Candidate]:
        """Return the members that the names mean, in the order of the names, each once."""
        places = {id(one): place for place, one in enumerate(members)}
        kept: dict[int, Candidate] = {}
        for name in names:
            named = [one for one in self._catalog.named(name) if id(one) in places]
            kept |= {id(one): one for one in sorted(named, key=lambda one: places[id(one)])}
        return list(kept.values())

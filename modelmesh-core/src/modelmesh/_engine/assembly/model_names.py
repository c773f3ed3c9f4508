"""Names of models: with or without the provider, as in a catalogue, and as in a request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from modelmesh.contracts.models import ModelInfo

if TYPE_CHECKING:
    from modelmesh._engine.assembly.provider_entry import ProviderEntry
    from modelmesh._engine.routing.candidates import Candidate

_SEPARATORS = "./"
"""Characters between the name of a provider and the ID of a model."""


def without_vendor(name: str, entry: ProviderEntry) -> str:
    """Remove the provider's name before the ID of a model. Other dots are part of the ID."""
    for vendor in entry.vendors:
        for separator in _SEPARATORS:
            if name.startswith(vendor + separator):
                return name[len(vendor) + 1 :]
    return name


def names_of(candidate: Candidate) -> Iterator[str]:
    """Yield every name of a model, with and without its provider before it."""
    yield from (candidate.model_id, candidate.upstream)
    yield from (f"{vendor}{sep}{candidate.model_id}" for vendor in candidate.account.names for sep in _SEPARATORS)


class ModelNameIndex:
    """The models of a mesh by name, so that the cost of a lookup does not grow with the number of models."""

    def __init__(self) -> None:
        self._places: dict[int, int] = {}
        self._by_name: dict[str, list[Candidate]] = {}
        self._by_vendor: dict[str, dict[str, list[Candidate]]] = {}  # names with a provider are not stored for each model

    def __len__(self) -> int:
        return len(self._places)

    def add(self, candidate: Candidate) -> None:
        """Add a model."""
        self._places[id(candidate)] = len(self._places)
        for name in {candidate.model_id, candidate.upstream}:
            self._by_name.setdefault(name, []).append(candidate)
        for vendor in candidate.account.names:
            self._by_vendor.setdefault(vendor, {}).setdefault(candidate.model_id, []).append(candidate)

    def find(self, name: str) -> list[Candidate]:
        """Return the models that a name means, in the order in which they were added."""
        found = {id(one): one for one in self._by_name.get(name, ())}
        for place, letter in enumerate(name):
            if letter in _SEPARATORS and (models := self._by_vendor.get(name[:place])) is not None:
                found |= {id(one): one for one in models.get(name[place + 1 :], ())}
        return sorted(found.values(), key=lambda one: self._places[id(one)])


class RowIndex:
    """Rows of a provider's list by ID and by upstream name. The first row with a name counts."""

    def __init__(self, rows: Iterable[ModelInfo]) -> None:
        self._rows: dict[str, ModelInfo] = {}
        for row in rows:
            for name in (row.id, row.upstream):
                self._rows.setdefault(name, row)

    def find(self, name: str) -> ModelInfo | None:
        """Return the row with this name."""
        return self._rows.get(name)

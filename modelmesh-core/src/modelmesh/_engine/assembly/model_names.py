"""Names of models: with or without the provider, as in a catalogue, and as in a request."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from modelmesh.contracts.models import ModelInfo

if TYPE_CHECKING:
    from modelmesh._engine.assembly.provider_entry import ProviderEntry
    from modelmesh._engine.routing.candidates import Candidate


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


def from_catalogue(model_id: str, entry: ProviderEntry) -> ModelInfo | None:
    # Only the shipped list: a configured model must not cause a request to the vendor.
    shipped = entry.shipped_models() if hasattr(entry.provider, "shipped_models") else entry.provider.models()
    return find_called(model_id, shipped)


def find_called(name: str, rows: Iterable[ModelInfo]) -> ModelInfo | None:
    return next((info for info in rows if name in (info.id, info.upstream)), None)

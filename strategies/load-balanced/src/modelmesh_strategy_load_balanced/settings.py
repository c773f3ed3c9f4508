"""What the configuration says to the load-balanced strategy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts import PoolView
from modelmesh.errors import ConfigurationError

MOST = 1e15
"""No weight is above it."""

UNLISTED = 1.0
"""Weight of a model that the configured weights do not name."""


def configured_weights(config: Mapping[str, Any]) -> dict[str, float]:
    """Return the weights a pool's configuration gives, by model or provider; empty when it gives none.

    Raises:
        ConfigurationError: They are no weights.
    """
    key = "weights" if config.get("weights") is not None else "model_weights"
    stated = config.get(key) or {}
    where = f"selection.{key}"
    if not isinstance(stated, Mapping):
        message = f"{where} must be a map of models or providers to numbers, e.g. {{openai: 3, groq: 1}}; not {stated!r}."
        raise ConfigurationError(message, where=where)
    for name, weight in stated.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= MOST:
            message = f"{where}.{name} must be a number from 0 to {MOST:g}, not {weight!r}; 0 is for what is only asked in need."
            raise ConfigurationError(message, where=f"{where}.{name}")
    return {str(name): float(weight) for name, weight in stated.items()}


def balance_mode(config: Mapping[str, Any]) -> str:
    """Return ``absolute`` or ``relative``.

    Raises:
        ConfigurationError: It is neither.
    """
    mode = config.get("balance_mode") or "relative"
    if mode not in ("absolute", "relative"):
        message = f"balance_mode must be 'absolute' or 'relative', not {mode!r}."
        raise ConfigurationError(message, where="balance_mode")
    return str(mode)


def weights_for(pool: PoolView, stated: Mapping[str, float]) -> list[float]:
    """Return the configured weight of each member: by its own name, else by its provider's, else 1."""
    found = [UNLISTED] * len(pool.members)
    for masks in (pool.mask_of_provider, pool.mask_of_model):
        for name, weight in stated.items():
            mask = masks(name)
            for place in range(mask.bit_length()):
                if mask >> place & 1:
                    found[place] = weight
    return found

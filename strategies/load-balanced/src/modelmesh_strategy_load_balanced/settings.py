"""Settings of the load-balanced strategy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from modelmesh.contracts import PoolView
from modelmesh.errors import ConfigurationError
from modelmesh_cdk.strategy import positions_in

MAX_WEIGHT = 1e15
"""Largest weight."""

DEFAULT_WEIGHT = 1.0
"""Weight of a model without a configured weight."""


def configured_weights(config: Mapping[str, Any]) -> dict[str, float]:
    """Return the configured weights by model or provider, empty without any.

    Raises:
        ConfigurationError: A weight is invalid.
    """
    key = "weights" if config.get("weights") is not None else "model_weights"
    configured = config.get(key) or {}
    where = f"selection.{key}"
    if not isinstance(configured, Mapping):
        message = f"{where} must be a map of models or providers to numbers, e.g. {{openai: 3, groq: 1}}, not {configured!r}."
        raise ConfigurationError(message, where=where)
    for name, weight in configured.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= MAX_WEIGHT:
            message = (
                f"{where}.{name} must be a number from 0 to {MAX_WEIGHT:g}, not {weight!r}. A model of weight 0 is a last resort."
            )
            raise ConfigurationError(message, where=f"{where}.{name}")
    return {str(name): float(weight) for name, weight in configured.items()}


def balance_mode(config: Mapping[str, Any]) -> str:
    """Return ``absolute`` or ``relative``.

    Raises:
        ConfigurationError: It is another value.
    """
    mode = config.get("balance_mode") or "relative"
    if mode not in ("absolute", "relative"):
        message = f"balance_mode must be 'absolute' or 'relative', not {mode!r}."
        raise ConfigurationError(message, where="balance_mode")
    return str(mode)


def weights_for(pool: PoolView, configured: Mapping[str, float]) -> Iterator[tuple[Sequence[int], float]]:
    """Yield positions and their weight: that of the model, else that of the provider, else the default.

    A name that comes later in the settings takes precedence over an earlier one of the same kind.
    """
    left = (1 << len(pool.members)) - 1
    for masks in (pool.mask_of_model, pool.mask_of_provider):
        for name, weight in reversed([*configured.items()]):
            mask = masks(name) & left
            if mask:
                left &= ~mask
                yield list(positions_in(mask)), weight
    if left:
        yield list(positions_in(left)), DEFAULT_WEIGHT

"""Discovery connectors of one mesh, the providers that each one watches, and the settings of both tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from attrs import define, frozen

if TYPE_CHECKING:
    from modelmesh.contracts.discovery import Discovery


@frozen
class SyncSettings:
    """Settings by which the model list of one provider is compared.

    Attributes:
        interval: Seconds between two comparisons.
        auto_register: Whether new models may join pools.
        on_new_model: Reaction to a new model.
        on_deprecated_model: Reaction to a model that the provider no longer lists.
    """

    interval: float
    auto_register: bool
    on_new_model: Literal["register", "notify", "ignore"]
    on_deprecated_model: Literal["deactivate", "notify", "ignore"]


@frozen
class HealthCheckSettings:
    """Settings by which one provider is probed.

    Attributes:
        interval: Seconds between two probes.
        failure_threshold: Consecutive failed probes after which the provider is suspended.
    """

    interval: float
    failure_threshold: int


@define(eq=False)
class DiscoveryWatch:
    """A discovery connector and the providers that it watches.

    Attributes:
        connector: The connector.
        sync: Model list settings by provider key.
        health: Health check settings by provider key.
    """

    connector: Discovery
    sync: Mapping[str, SyncSettings]
    health: Mapping[str, HealthCheckSettings]

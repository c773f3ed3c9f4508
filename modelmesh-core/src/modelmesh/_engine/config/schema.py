"""Schema of the configuration in canonical form. Durations are in seconds, sizes in bytes, money in USD."""

from __future__ import annotations

from typing import Any, Literal, NewType

from attrs import Attribute, field, fields, frozen

from modelmesh._engine.routing.pool_policy import Adaptation, Backoff, Commit, RetryScope

Seconds = NewType("Seconds", float)
Fraction = NewType("Fraction", float)
Codes = NewType("Codes", frozenset[int])
Names = NewType("Names", tuple[str, ...])
Delivery = NewType("Delivery", dict[str, bool])
Zone = NewType("Zone", str)
Price = NewType("Price", float)
RequestPrice = NewType("RequestPrice", float)
Minutes = NewType("Minutes", str)
Size = NewType("Size", int)
Features = NewType("Features", dict[str, bool])
ModelBatch = NewType("ModelBatch", dict[str, Any])

FEATURES = (
    "tool_calling", "structured_output", "json_mode", "system_prompt", "vision", "logprobs", "streaming", "reasoning",
    "grounding", "subtitles", "timestamps", "diarization", "fine_tunable",
)  # fmt: skip
"""Keys of ``models.<id>.features``."""


class _Section:
    """Base of all sections: comparison and text.

    attrs would compile these methods for each of the classes, which takes longer than everything else in this module.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, one.name) == getattr(other, one.name) for one in _fields(self))

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, one.name) for one in _fields(self))))

    def __repr__(self) -> str:
        shown = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in _fields(self) if one.repr)
        return f"{type(self).__name__}({shown})"


def _fields(section: Any) -> tuple[Attribute[Any], ...]:
    found: tuple[Attribute[Any], ...] = fields(type(section))
    return found


@frozen(eq=False, repr=False)
class TimeoutsSection(_Section):
    """``timeouts`` of a provider or a pool."""

    connect: Seconds | None = None
    first_content: Seconds | None = None
    gap: Seconds | None = None
    total: Seconds | None = None


@frozen(eq=False, repr=False)
class ConnectionPoolSection(_Section):
    """``providers.<key>.connection_pool``."""

    max_connections: int = 100
    queue_size: int = 1000
    queue_wait: Seconds | None = None


@frozen(eq=False, repr=False)
class BudgetSection(_Section):
    """``budget`` of a provider, a pool or the whole mesh. Money in USD."""

    daily_limit: float | None = None
    monthly_limit: float | None = None
    total_limit: float | None = None
    per_request_limit: float | None = None
    alert_threshold: Fraction = Fraction(0.8)
    enforce: bool = True
    on_budget_exceeded: Literal["error", "rotate"] | None = None
    unknown_price: Literal["refuse", "allow"] = "refuse"
    reserve: Literal["estimate", "maximum"] = "estimate"


@frozen(eq=False, repr=False)
class QuotaSection(_Section):
    """``quota`` of a provider or a model: limits of its account for each window."""

    free_tier: bool = False
    requests_per_minute: int | None = None
    requests_per_hour: int | None = None
    requests_per_day: int | None = None
    requests_per_month: int | None = None
    tokens_per_minute: int | None = None
    tokens_per_hour: int | None = None
    tokens_per_day: int | None = None
    tokens_per_month: int | None = None
    request_limit: int | None = None
    token_limit: int | None = None
    reset_schedule: Literal["monthly", "daily", "rolling"] = "monthly"
    reset_zone: Zone = Zone("UTC")
    shared: str | None = None
    query_current: bool = False
    query_remaining: bool = False


@frozen(eq=False, repr=False)
class SyncSection(_Section):
    """``discovery.sync``: comparison of vendors' model lists with the known models."""

    enabled: bool = True
    interval: Seconds = Seconds(3600.0)
    auto_register: bool = True
    providers: Names | None = None
    on_new_model: Literal["register", "notify", "ignore"] = "register"
    on_deprecated_model: Literal["deactivate", "notify", "ignore"] = "notify"


@frozen(eq=False, repr=False)
class HealthSection(_Section):
    """``discovery.health``: health checks of providers, independent of requests."""

    enabled: bool = True
    interval: Seconds = Seconds(60.0)
    timeout: Seconds = Seconds(10.0)
    failure_threshold: int = 3
    providers: Names | None = None


@frozen(eq=False, repr=False)
class DiscoverySection(_Section):
    """One discovery connector and its tasks. ``config`` holds the settings of the connector."""

    connector: str
    instance: Any = None
    sync: SyncSection | None = None
    health: HealthSection | None = None
    config: dict[str, Any] = field(factory=dict, repr=False)


@frozen(eq=False, repr=False)
class ProviderSyncSection(_Section):
    """``providers.<key>.discovery.sync``: overrides for one provider."""

    enabled: bool | None = None
    interval: Seconds | None = None
    auto_register: bool | None = None
    on_new_model: Literal["register", "notify", "ignore"] | None = None
    on_deprecated_model: Literal["deactivate", "notify", "ignore"] | None = None


@frozen(eq=False, repr=False)
class ProviderHealthSection(_Section):
    """``providers.<key>.discovery.health``: overrides for one provider."""

    enabled: bool | None = None
    interval: Seconds | None = None
    failure_threshold: int | None = None


@frozen(eq=False, repr=False)
class ProviderDiscoverySection(_Section):
    """``providers.<key>.discovery``."""

    sync: ProviderSyncSection = ProviderSyncSection()
    health: ProviderHealthSection = ProviderHealthSection()
    enumerate_models: bool = False
    model_details: bool = False
    capability_query: bool = False


@frozen(eq=False, repr=False)
class AuthSection(_Section):
    """``providers.<key>.auth``."""

    method: Literal["api_key", "oauth", "service_account"] = "api_key"
    api_key: Any = field(default=None, repr=False)
    key_rotation: bool = False


@frozen(eq=False, repr=False)
class BatchSection(_Section):
    """``providers.<key>.batch``."""

    supported: bool = False
    max_items: int | None = None


@frozen(eq=False, repr=False)
class FilesSection(_Section):
    """``providers.<key>.files``."""

    upload: bool = False
    max_size: Size | None = None


@frozen(eq=False, repr=False)
class FineTuningSection(_Section):
    """``providers.<key>.fine_tuning``."""

    supported: bool = False


@frozen(eq=False, repr=False)
class ProviderSection(_Section):
    """``providers.<key>``: one account. ``options`` holds the settings of the connector."""

    key: str
    enabled: bool = True
    connector: str | None = None
    instance: Any = field(default=None, repr=False)
    api_key: Any = field(default=None, repr=False)
    base_url: str | None = None
    timeout: Seconds | None = None
    max_retries: int | None = None
    models: list[Any] | None = None
    capabilities: Names = Names(())
    timeouts: TimeoutsSection = TimeoutsSection()
    connection_pool: ConnectionPoolSection = ConnectionPoolSection()
    budget: BudgetSection | None = None
    quota: QuotaSection | None = None
    discovery: ProviderDiscoverySection = ProviderDiscoverySection()
    batch: BatchSection | None = None
    files: FilesSection | None = None
    fine_tuning: FineTuningSection | None = None
    options: dict[str, Any] = field(factory=dict, repr=False)


@frozen(eq=False, repr=False)
class PriceBandSection(_Section):
    """One of ``models.<id>.pricing.bands``: prices that replace the usual ones if all conditions hold."""

    above_prompt_tokens: int | None = None
    hours: Names = Names(())
    days: Names = Names(())
    since: Any = None
    input_per_1k_tokens: Price | None = None
    output_per_1k_tokens: Price | None = None
    cached_input_per_1k_tokens: Price | None = None
    cache_write_per_1k_tokens: Price | None = None
    per_request: RequestPrice | None = None


@frozen(eq=False, repr=False)
class PricingSection(_Section):
    """``models.<id>.pricing``: takes precedence over the price that the connector ships. Money in USD."""

    input_per_1k_tokens: Price | None = None
    output_per_1k_tokens: Price | None = None
    per_request: RequestPrice | None = None
    cached_input_per_1k_tokens: Price | None = None
    cache_write_per_1k_tokens: Price | None = None
    per_image: RequestPrice | None = None
    per_audio_minute: RequestPrice | None = None
    per_1k_characters: RequestPrice | None = None
    per_page: RequestPrice | None = None
    per_search: RequestPrice | None = None
    audio_input_per_1k_tokens: Price | None = None
    audio_output_per_1k_tokens: Price | None = None
    image_input_per_1k_tokens: Price | None = None
    image_output_per_1k_tokens: Price | None = None
    bands: list[PriceBandSection] = field(factory=list)


@frozen(eq=False, repr=False)
class ConstraintsSection(_Section):
    """``models.<id>.constraints``."""

    context_window: int | None = None
    max_output_tokens: int | None = None
    max_images: int | None = None
    max_file_size: Size | None = None
    supported_languages: Names | None = None


@frozen(eq=False, repr=False)
class ModelSection(_Section):
    """``models.<id>``."""

    id: str
    provider: str
    capabilities: Names | None = None
    delivery: Delivery = field(factory=lambda: Delivery({}))
    features: Features = field(factory=lambda: Features({}))
    constraints: ConstraintsSection = ConstraintsSection()
    pricing: PricingSection | None = None
    quota: QuotaSection | None = None
    model: str | None = None
    batch: ModelBatch | None = None


@frozen(eq=False, repr=False)
class ModelBatchSection(_Section):
    """``models.<id>.batch`` in the form of a map."""

    supported: bool = True
    max_items: int | None = None
    max_payload: Size | None = None
    completion_window: Seconds | None = None
    cost_discount: Fraction | None = None
    callback: bool | None = None
    polling: bool | None = None
    partial_results: bool | None = None


@frozen(eq=False, repr=False)
class RateLimitSection(_Section):
    """``pools.<name>.rate_limit``."""

    threshold: Fraction = Fraction(0.8)
    min_delta: Seconds = Seconds(0.0)
    max_rpm: int = 0


@frozen(eq=False, repr=False)
class DeactivationSection(_Section):
    """``pools.<name>.deactivation``."""

    retry_limit: int = 3
    error_rate_threshold: Fraction = Fraction(0.5)
    error_codes: Codes | None = None
    request_limit: int | None = None
    token_limit: int | None = None
    budget_limit: float | None = None
    quota_window: Literal["monthly", "daily"] | None = None
    maintenance_window: Minutes | None = None
    maintenance_zone: Zone = Zone("UTC")
    policy: Any = field(default=None, repr=False)


@frozen(eq=False, repr=False)
class RecoverySection(_Section):
    """``pools.<name>.recovery``."""

    cooldown: Seconds | None = None
    probe_on_start: bool | None = None
    probe_interval: Seconds | None = None
    on_quota_reset: bool | None = None
    quota_reset_schedule: Literal["monthly", "daily", "daily_utc"] | None = None
    policy: Any = field(default=None, repr=False)


@frozen(eq=False, repr=False)
class RetrySection(_Section):
    """``pools.<name>.retry``."""

    max_attempts: int | None = None
    backoff: Backoff = Backoff.EXPONENTIAL_JITTER
    initial_delay: Seconds = Seconds(0.5)
    max_delay: Seconds = Seconds(10.0)
    retryable_codes: Codes | None = None
    non_retryable_codes: Codes | None = None
    scope: RetryScope = RetryScope.SAME_MODEL
    honor_retry_after: bool = True


@frozen(eq=False, repr=False)
class StreamSection(_Section):
    """``pools.<name>.stream``: how long a stream is buffered."""

    commit: Commit = Commit.FIRST_CONTENT
    tokens: int = 32
    seconds: Seconds = Seconds(2.0)


@frozen(eq=False, repr=False)
class PoolSection(_Section):
    """``pools.<name>``. The name is the virtual model name."""

    name: str
    capability: str | None = None
    aliases: Names = Names(())
    models: Names | None = None
    providers: Names | None = None
    excluded_providers: Names = Names(())
    strategy: str | None = None
    strategy_instance: Any = None
    model_priority: Names = Names(())
    provider_priority: Names = Names(())
    fallback_strategy: str | None = None
    balance_mode: Literal["absolute", "relative"] = "relative"
    rate_limit: RateLimitSection = RateLimitSection()
    selection: dict[str, Any] = field(factory=dict)
    deactivation: DeactivationSection = DeactivationSection()
    recovery: RecoverySection = RecoverySection()
    retry: RetrySection = RetrySection()
    timeouts: TimeoutsSection = TimeoutsSection()
    stream: StreamSection = StreamSection()
    adaptation: Adaptation = Adaptation.ALLOW
    provider_deactivation: Literal["on_auth_failure", "on_api_outage", "both"] = "both"
    provider_recovery: Literal["on_probe_success", "on_manual"] | None = None
    on_budget_exceeded: Literal["error", "rotate"] | None = None
    budget: BudgetSection | None = None


@frozen(eq=False, repr=False)
class StorageSection(_Section):
    """``storage``: the storage of state. ``config`` holds the settings of the connector."""

    connector: str = "modelmesh.local-file.v1"
    instance: Any = None
    sync_policy: Literal["in-memory", "sync-on-boundary", "periodic", "immediate"] = "sync-on-boundary"
    sync_interval: Seconds = Seconds(300.0)
    locking: bool = True
    on_store_down: Literal["serve", "refuse"] = "serve"
    config: dict[str, Any] = field(factory=dict, repr=False)


@frozen(eq=False, repr=False)
class SecretsSection(_Section):
    """``secrets``. ``config`` holds the settings of the store."""

    store: str = "modelmesh.env.v1"
    instance: Any = field(default=None, repr=False)
    config: dict[str, Any] = field(factory=dict, repr=False)


@frozen(eq=False, repr=False)
class StatisticsSection(_Section):
    """``observability.statistics``: counted scopes, and the interval at which sinks receive the counts."""

    flush_interval: Seconds = Seconds(60.0)
    retention: Seconds = Seconds(604800.0)
    scopes: tuple[Literal["model", "provider", "pool"], ...] = ("model", "provider", "pool")


@frozen(eq=False, repr=False)
class SinkSection(_Section):
    """One observability connector and the events that it receives."""

    connector: str = "modelmesh.null.v1"
    instance: Any = None
    roles: Names = Names(("routing", "logging", "statistics", "tracing"))
    events: Names | None = None
    level: Literal["metadata", "summary", "full"] = "metadata"
    max_payload_size: int = 512
    redact: bool = True
    include_metadata: bool = True
    min_severity: Literal["debug", "info", "warning", "error", "critical"] = "info"
    config: dict[str, Any] = field(factory=dict, repr=False)


@frozen(eq=False, repr=False)
class ProxyAuthSection(_Section):
    """``proxy.auth``."""

    enabled: bool | None = None
    method: Literal["bearer"] = "bearer"
    tokens: list[Any] = field(factory=list, repr=False)


@frozen(eq=False, repr=False)
class ProxyCorsSection(_Section):
    """``proxy.cors``."""

    enabled: bool = True
    origins: Names = Names(("*",))
    credentials: bool = False
    max_age: Seconds = Seconds(600.0)


@frozen(eq=False, repr=False)
class ProxyLimitsSection(_Section):
    """``proxy.limits``: limits of each request and of all requests together."""

    json_body: Size = Size(32 * 2**20)
    upload_body: Size = Size(2048 * 2**20)
    header_bytes: Size = Size(32 * 2**10)
    header_lines: int = 100
    header_timeout: Seconds = Seconds(10.0)
    body_timeout: Seconds = Seconds(60.0)
    keep_alive: Seconds = Seconds(75.0)
    connections: int = 4096
    requests: int = 1024
    realtime_idle: Seconds = Seconds(900.0)


@frozen(eq=False, repr=False)
class ProxyTlsSection(_Section):
    """``proxy.tls``."""

    certificate: str | None = None
    key: str | None = None
    key_password: Any = field(default=None, repr=False)
    client_authorities: str | None = None


@frozen(eq=False, repr=False)
class ProxySection(_Section):
    """``proxy``: settings of ``modelmesh serve``. No other part of ModelMesh reads them."""

    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    drain: Seconds = Seconds(30.0)
    reload: bool = True
    hosts: Names | None = None
    endpoints: Names | None = None
    ui: bool = True
    auth: ProxyAuthSection = ProxyAuthSection()
    cors: ProxyCorsSection = ProxyCorsSection()
    limits: ProxyLimitsSection = ProxyLimitsSection()
    tls: ProxyTlsSection | None = None

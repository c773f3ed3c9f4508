"""Error mapping of Mistral. The common rows of the kit apply after it."""

from __future__ import annotations

from modelmesh.contracts import FailureClass
from modelmesh_cdk import ErrorMapping, RateLimitHeaders, error_mapping

_F = FailureClass

MAPPINGS: tuple[ErrorMapping, ...] = (
    error_mapping(_F.NOT_FOUND, "invalid_model", "model_not_found", source="mistralai 3.7.0 and its tracker, read 2026-11-21"),
    error_mapping(
        _F.CAPABILITY, "invalid_request_message_order", source="BerriAI/litellm#17761, zed-industries/zed#37021, read 2026-11-30"
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses={400, 422},
        too_long=True,
        words=(r"maximum context length", r"too large for model with"),
        source="code 3051, invalid_request_prompt, read 2026-11-21",
    ),
    error_mapping(
        _F.CAPABILITY,
        "extra_forbidden",
        statuses={400, 422},
        words=r"extra_forbidden|extra inputs are not permitted",
        source="ed-donner/llm_engineering#1130: fields of messages, read 2026-11-30",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses={400, 422},
        words=(r"too many tokens in batch", r"too many inputs", r"split into more batches"),
        source="aurelio-labs/semantic-router#297, read 2026-11-30",
    ),
    error_mapping(
        _F.THROTTLE,
        "service_tier_capacity_exceeded",
        statuses={400, 429, 503},
        words=r"service tier capacity exceeded",
        source="code 3505, as public code quotes it, read 2026-11-30",
    ),
)

RATE_LIMITS = tuple(
    RateLimitHeaders(
        kind,
        f"x-ratelimit-limit-{name}-minute",
        f"x-ratelimit-remaining-{name}-minute",
        source="public code that reads them (no reset header among them), read 2026-11-30",
    )
    for kind, name in (("requests", "req"), ("tokens", "tokens"))
)

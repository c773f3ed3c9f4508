"""Error mapping of Fireworks. The common rows of the kit apply after it."""

from __future__ import annotations

from modelmesh.contracts import FailureClass
from modelmesh_cdk import ErrorMapping, RateLimitHeaders, error_mapping

_F = FailureClass

MAPPINGS: tuple[ErrorMapping, ...] = (
    error_mapping(
        _F.QUOTA, statuses={412}, words=r"suspended", source="docs.fireworks.ai, inference error codes, read 2026-11-21"
    ),
    error_mapping(_F.PERMISSION, statuses={412}, source="as above: a model of the account that did not load"),
    error_mapping(
        _F.CAPABILITY, statuses={400}, too_long=True, words=(r"prompt is too long", r"maximum context length"), source="as above"
    ),
    error_mapping(_F.NOT_FOUND, statuses={400, 404}, words=r"model not found, inaccessible", source="as above"),
    error_mapping(
        _F.CAPABILITY,
        statuses={400},
        words=(r"requests? with max_tokens > \d+ must (have|set) stream", r"jinja template"),
        source="not confirmed by a source",
    ),
)

RATE_LIMITS = tuple(
    RateLimitHeaders(
        "tokens",
        f"x-ratelimit-limit-tokens-{name}",
        f"x-ratelimit-remaining-tokens-{name}",
        source="public code that reads them (no reset header among them), read 2026-11-30",
    )
    for name in ("prompt", "generated")
)

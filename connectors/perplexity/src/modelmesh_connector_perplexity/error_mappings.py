"""Error mapping of Perplexity. The common rows of the kit apply after it."""

from __future__ import annotations

from modelmesh.contracts import FailureClass
from modelmesh_cdk import ANY_STATUS, ErrorMapping, error_mapping

_F = FailureClass

MAPPINGS: tuple[ErrorMapping, ...] = (
    error_mapping(_F.NOT_FOUND, "invalid_model", source="docs.perplexity.ai, Agent API, read 2026-11-21"),
    # The Agent API rejects unknown fields. Another vendor may support them.
    error_mapping(_F.CAPABILITY, statuses={400, 422}, words=r"unknown field (?P<parameter>\w+)", source="as above"),
    error_mapping(
        _F.CAPABILITY,
        statuses={400, 422},
        words=(r"should (be )?alternat", r"last message must have role"),
        source="raycast/extensions#23957, charmbracelet/mods#448, read 2026-11-30",
    ),
    error_mapping(_F.THROTTLE, "request_rate_limit_exceeded", statuses={400, 429}, source="perplexityai 0.46.1, read 2026-11-21"),
    error_mapping(
        _F.QUOTA,
        "insufficient_quota",
        "credits_exhausted",
        statuses=ANY_STATUS - {401},
        words=r"exceeded your current quota",
        source="OpenAI's code, not confirmed by a source",
    ),
)

"""Error mapping of OpenRouter. The common rows of the kit apply after it."""

from __future__ import annotations

from modelmesh.contracts import FailureClass
from modelmesh_cdk import ANY_STATUS, ErrorMapping, error_mapping

_F = FailureClass

MAPPINGS: tuple[ErrorMapping, ...] = (
    error_mapping(
        _F.POLICY, "content_policy_violation", "refusal", statuses=ANY_STATUS, source="openrouter 1.3.84, read 2026-11-21"
    ),
    error_mapping(
        _F.CAPABILITY,
        "context_length_exceeded",
        "max_tokens_exceeded",
        "token_limit_exceeded",
        "string_too_long",
        statuses=ANY_STATUS - {401, 403, 429},
        too_long=True,
        source="openrouter 1.3.84, read 2026-11-21",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses={404},
        words=r"no endpoints found that (support|can)",
        source="public reports, read 2026-11-30",
    ),
    error_mapping(
        _F.PERMISSION,
        statuses={404},
        words=r"no endpoints (found )?match\w* your (data|guardrail|privacy)",
        source="wording of the account's data policy, not confirmed by a source",
    ),
    error_mapping(
        _F.QUOTA,
        statuses={402, 403, 429},
        words=(r"key limit exceeded", r"free-models-per-day", r"requires more credits", r"prompt tokens limit exceeded"),
        source="anomalyco/opencode#12219, read 2026-11-30",
    ),
)

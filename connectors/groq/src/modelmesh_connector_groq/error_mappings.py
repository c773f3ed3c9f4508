"""Error mapping of Groq. The common rows of the kit apply after it."""

from __future__ import annotations

from modelmesh.contracts import FailureClass
from modelmesh_cdk import ANY_STATUS, ErrorMapping, error_mapping

_F = FailureClass

MAPPINGS: tuple[ErrorMapping, ...] = (
    error_mapping(
        _F.THROTTLE,
        "rate_limit_exceeded",
        statuses={400, 413, 422, 429},
        source="openclaw/openclaw#147644, tinyhumansai/openhuman#4404: 413 for the tokens per minute of a tier; read 2026-11-30",
    ),
    error_mapping(
        _F.CAPABILITY,
        "tool_use_failed",
        "json_validate_failed",
        "output_parse_failed",
        "tool_call_validation_failed",
        statuses=ANY_STATUS - {401, 403, 429},
        source="console.groq.com/docs/errors, zeroclaw-labs/zeroclaw#3757, tashfeenahmed/freellmapi#168; read 2026-11-30",
    ),
    error_mapping(
        _F.NOT_FOUND,
        "model_decommissioned",
        "model_not_found",
        source="ItzCrazyKns/Vane#771, atiilla/sqlmap-ai#3; read 2026-11-30",
    ),
    error_mapping(
        _F.PERMISSION,
        "model_permission_blocked_org",
        "model_permission_blocked_project",
        "model_terms_required",
        statuses=ANY_STATUS,
        source="orbi-build/orbi#561 and public code that handles them; read 2026-11-30",
    ),
    error_mapping(
        _F.CREDENTIAL, "organization_restricted", statuses=ANY_STATUS, source="console.groq.com/docs/errors; read 2026-11-30"
    ),
    error_mapping(
        _F.QUOTA,
        "blocked_api_access",
        "spend_limit_reached",
        statuses=ANY_STATUS,
        source="the names of Groq's spend limits; not confirmed by a source",
    ),
    error_mapping(
        _F.SERVER,
        "capacity_exceeded",
        statuses={498},
        words=r"capacity",
        source="console.groq.com/docs/flex-processing; read 2026-11-30",
    ),
)

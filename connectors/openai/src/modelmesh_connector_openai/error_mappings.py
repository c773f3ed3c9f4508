"""Error mapping of OpenAI. The common rows of the kit apply after it."""

from __future__ import annotations

from modelmesh.contracts import FailureClass
from modelmesh_cdk import ANY_STATUS, ErrorMapping, error_mapping

_F = FailureClass

MAPPINGS: tuple[ErrorMapping, ...] = (
    error_mapping(
        _F.CREDENTIAL,
        "account_deactivated",
        "invalid_organization",
        "mismatched_organization",
        "mismatched_project",
        statuses=ANY_STATUS,
        source="public code that handles them; mismatched_organization comes with 401; read 2026-11-30",
    ),
    error_mapping(_F.POLICY, "image_content_policy_violation", source="as below"),
    error_mapping(
        _F.POLICY,
        statuses={400},
        words=(r"^invalid prompt: .{0,80}\b(flagged|safety|policy)", r"limited access to this content"),
        source="code invalid_prompt, as public reports quote it; read 2026-11-30",
    ),
    error_mapping(
        _F.CAPABILITY,
        "image_parse_error",
        "invalid_image_format",
        "image_too_large",
        "unsupported_image_media_type",
        source="openai 3.52.0, types/responses/response_error.py; read 2026-11-30",
    ),
    error_mapping(
        _F.CAPABILITY,
        "array_above_max_length",
        "integer_above_max_value",
        source="public reports: more than 128 tools, more than 4 stop sequences; read 2026-11-30",
    ),
)

"""Error mapping of LM Studio. The common rows of the kit apply after it."""

from __future__ import annotations

from modelmesh.contracts import FailureClass
from modelmesh_cdk import ErrorMapping, error_mapping

_F = FailureClass

MAPPINGS: tuple[ErrorMapping, ...] = (
    error_mapping(
        _F.NOT_FOUND,
        "model_not_found",
        statuses={400, 404},
        words=(r"no models? loaded", r"failed to load model", r"model .* not found"),
        source="lmstudio.ai/docs, read 2026-11-21",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses={400, 500},
        too_long=True,
        words=(r"context length", r"context the overflows", r"context size has been exceeded"),
        source="lmstudio-ai/lmstudio-bug-tracker#237, #546, #2339, read 2026-11-30",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses={400, 422},
        feature="response_format",
        words=r"response_format\.type must be",
        source="lmstudio-ai/lmstudio-bug-tracker#189, read 2026-11-30",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses={400},
        words=(
            r"error rendering prompt with jinja",
            r"failed to parse tool call",
            r"does not support (images|image input|vision)",
            r"invalid tool_choice type",
        ),
        source="wordings of its templates, not confirmed by a source",
    ),
)

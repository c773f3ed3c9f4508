"""Error mapping of Together. The common rows of the kit apply after it."""

from __future__ import annotations

from modelmesh.contracts import FailureClass
from modelmesh_cdk import ErrorMapping, error_mapping

_F = FailureClass

MAPPINGS: tuple[ErrorMapping, ...] = (
    # Together answers 403 to a request that exceeds the context window. It is not a permission error.
    error_mapping(
        _F.CAPABILITY,
        statuses={400, 403, 422},
        too_long=True,
        words=(r"context length", r"max_new_tokens"),
        source="docs.together.ai error codes, stanford-crfm/helm#2079, read 2026-11-21",
    ),
    error_mapping(
        _F.NOT_FOUND,
        "model_not_available",
        statuses={400, 404, 422},
        words=(r"unable to access (non-serverless )?model", r"non-serverless model"),
        source="public reports of status 400 with code model_not_available, read 2026-11-30",
    ),
)

"""Error mapping of xAI. The common rows of the kit apply after it."""

from __future__ import annotations

from modelmesh.contracts import FailureClass
from modelmesh_cdk import ErrorMapping, error_mapping

_F = FailureClass

MAPPINGS: tuple[ErrorMapping, ...] = (
    error_mapping(
        _F.CREDENTIAL,
        statuses={400},
        words=r"api key",
        source="docs.x.ai, debugging errors: a wrong key is a 400, read 2026-11-21",
    ),
    error_mapping(_F.POLICY, statuses={403}, words=r"usage guidelines", source="as above"),
    error_mapping(_F.QUOTA, statuses={403, 429}, words=r"\b(credits|spending limit)\b", source="as above"),
    error_mapping(
        _F.CAPABILITY, statuses={400}, too_long=True, words=r"maximum prompt length", source="cline/cline#3120, read 2026-11-30"
    ),
    error_mapping(
        _F.NOT_FOUND, "some requested entity was not found", statuses={404}, source="docs.x.ai, debugging errors, read 2026-11-21"
    ),
)

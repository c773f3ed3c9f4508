"""Error mapping of Ollama. The common rows of the kit apply after it."""

from __future__ import annotations

from modelmesh.contracts import FailureClass
from modelmesh_cdk import ErrorMapping, error_mapping

_F = FailureClass

MAPPINGS: tuple[ErrorMapping, ...] = (
    error_mapping(
        _F.CAPABILITY,
        statuses={400, 500},
        feature="tools",
        words=r"does not support tools",
        source="ollama/ollama#6027, ZoneMinder/zmNinjaNg#309, read 2026-11-30",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses={400, 500},
        words=(
            r"does not support (chat|generate|thinking|embeddings|insert|images)",
            r"error parsing tool call",
            r"think value .* is not supported",
        ),
        source="public code that handles them, read 2026-11-30",
    ),
    error_mapping(
        _F.NOT_FOUND,
        statuses={400, 404},
        words=(r"model .* not found", r"try pulling it first"),
        source="ollama 0.6.3, read 2026-11-21",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses={400, 500},
        too_long=True,
        words=(r"exceeds the available context size", r"input (length )?exceeds (the |maximum )?context length"),
        source="ollama/ollama and llama.cpp, read 2026-11-30",
    ),
)

"""Error mapping of LocalAI. The common rows of the kit apply after it."""

from __future__ import annotations

from modelmesh.contracts import FailureClass
from modelmesh_cdk import ErrorMapping, error_mapping

_F = FailureClass

MAPPINGS: tuple[ErrorMapping, ...] = (
    error_mapping(
        _F.CAPABILITY,
        statuses={400, 500},
        too_long=True,
        words=(
            r"exceeds? the available context size",
            r"context (size|window) exceeded",
            r"prompt size exceeds the context window",
        ),
        source="lfnovo/open-notebook#470, nomic-ai/gpt4all#664, read 2026-11-30",
    ),
    error_mapping(
        _F.NOT_FOUND,
        statuses={400, 404},
        words=(r"model not found", r"could not load model", r"no model configuration"),
        source="wordings of its server, not confirmed by a source",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses={400, 500},
        words=(r"(un|not )implemented", r"does not support", r"unimplemented desc"),
        source="gRPC's status Unimplemented of its backends, not confirmed by a source",
    ),
)

"""Error mapping of Hugging Face. The common rows of the kit apply after it."""

from __future__ import annotations

from modelmesh.contracts import FailureClass
from modelmesh_cdk import ErrorMapping, error_mapping

_F = FailureClass

MAPPINGS: tuple[ErrorMapping, ...] = (
    error_mapping(
        _F.NOT_FOUND,
        "model_not_supported",
        "model_not_found",
        statuses={400, 404, 422},
        words=r"not supported by any provider",
        source="huggingface-hub 2.4.0 and its tracker, read 2026-11-21",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses={400, 413, 422},
        too_long=True,
        words=(r"maximum context length", r"tokens \+ max_new_tokens", r"must have less than \d+ tokens"),
        source="huggingface/huggingface_hub#2763, meta-llama/llama#1103, read 2026-11-30",
    ),
    error_mapping(
        _F.QUOTA,
        statuses={402, 403, 429},
        words=(r"included credits", r"pre-paid credits"),
        source="wording of the credits page, not confirmed by a source",
    ),
    error_mapping(
        _F.SERVER, statuses={424}, source="text-generation-inference: the generation failed, not confirmed by a source"
    ),
    error_mapping(
        _F.SERVER, statuses={400, 404}, words=r"currently loading", source="huggingface/huggingface_hub#2763, read 2026-11-30"
    ),
)

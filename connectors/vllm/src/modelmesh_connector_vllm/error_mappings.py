"""Error mapping of vLLM. The common rows of the kit apply after it."""

from __future__ import annotations

from modelmesh.contracts import FailureClass
from modelmesh_cdk import ErrorMapping, error_mapping

_F = FailureClass

MAPPINGS: tuple[ErrorMapping, ...] = (
    error_mapping(
        _F.CAPABILITY,
        statuses={400, 422, 500},
        too_long=True,
        words=(r"maximum (context|model) length", r"longer than the maximum model length", r"maximum allowed length"),
        source="vllm-project/vllm#19464, #20409, read 2026-11-21",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses={400, 422},
        feature="tools",
        words=r"tool choice requires --|tool choice .*requires .*--tool-call-parser",
        source="vllm-project/vllm#9986, #30613, read 2026-11-30",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses={400, 422},
        words=(
            r"is not a multimodal model",
            r"at most \d+ (image|audio|video)",
            r"chat template",
            r"extra_forbidden",
            r"does not support (chat|completions|embeddings)",
        ),
        source="public code that handles them, read 2026-11-30",
    ),
    error_mapping(
        _F.NOT_FOUND,
        "notfounderror",
        statuses={404},
        words=r"the model .* does not exist",
        source="vllm-project/vllm#33418, read 2026-11-21",
    ),
)

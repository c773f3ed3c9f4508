"""Error mapping of DeepSeek. The common rows of the kit apply after it."""

from __future__ import annotations

from modelmesh.contracts import FailureClass
from modelmesh_cdk import ANY_STATUS, ErrorMapping, error_mapping

_F = FailureClass

MAPPINGS: tuple[ErrorMapping, ...] = (
    error_mapping(
        _F.CAPABILITY,
        statuses={400, 422},
        too_long=True,
        words=r"maximum context length",
        source="evalstate/fast-agent#621, read 2026-11-30",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses={400, 422},
        feature="response_format",
        words=r"response_format type is unavailable",
        source="BerriAI/litellm#31466, llm-exe/llm-exe#662, read 2026-11-30",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses={400, 422},
        words=(
            r"unknown variant",
            r"successive user or assistant",
            r"reasoning_content",
            r"insufficient tool messages",
            r"prefix mode",
        ),
        source="losesky/ai-auto-trading#14, CherryHQ/cherry-studio#2795, langchain-ai/langchain#39370, read 2026-11-30",
    ),
    error_mapping(
        _F.POLICY,
        statuses={400},
        words=r"content exists risk",
        source="public code that handles it (not in DeepSeek's table of codes), read 2026-11-30",
    ),
    error_mapping(
        _F.QUOTA,
        statuses=ANY_STATUS,
        words=r"insufficient balance",
        source="api-docs.deepseek.com/quick_start/error_codes, read 2026-11-21",
    ),
    error_mapping(
        _F.NOT_FOUND, statuses={400, 404, 422}, words=r"model not exist", source="zeroclaw-labs/zeroclaw#4044, read 2026-11-30"
    ),
)

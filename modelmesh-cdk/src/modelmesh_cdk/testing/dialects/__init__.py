"""Wire formats of vendors: reading of requests and writing of responses, so that one test serves every vendor of a format.

==========================  =======================================================================================
:class:`Dialect`             protocol of a wire format, and base class of custom ones
:class:`OpenAIDialect`       chat completions and embeddings
:class:`AnthropicDialect`    the Messages API
:class:`GeminiDialect`       ``generateContent``, ``streamGenerateContent`` and ``batchEmbedContents``
:class:`CohereDialect`       chat and embed, version 2
==========================  =======================================================================================
"""

from modelmesh_cdk.testing.dialects.anthropic import AnthropicDialect
from modelmesh_cdk.testing.dialects.anthropic_rules import anthropic_violations
from modelmesh_cdk.testing.dialects.cohere import CohereDialect
from modelmesh_cdk.testing.dialects.cohere_rules import cohere_violations
from modelmesh_cdk.testing.dialects.gemini import GeminiDialect
from modelmesh_cdk.testing.dialects.gemini_rules import gemini_violations
from modelmesh_cdk.testing.dialects.openai import OpenAIDialect
from modelmesh_cdk.testing.dialects.protocol import Dialect, Refusal
from modelmesh_cdk.testing.dialects.shape import calls_in, choices_of, extra_fields, usage_in, without, written

DIALECTS: dict[str, Dialect] = {
    "anthropic": AnthropicDialect(),
    "cohere": CohereDialect(),
    "gemini": GeminiDialect(),
    "openai": OpenAIDialect(),
}
"""Dialects by name."""

__all__ = [
    "DIALECTS",
    "AnthropicDialect",
    "CohereDialect",
    "Dialect",
    "GeminiDialect",
    "OpenAIDialect",
    "Refusal",
    "anthropic_violations",
    "calls_in",
    "choices_of",
    "cohere_violations",
    "extra_fields",
    "gemini_violations",
    "usage_in",
    "without",
    "written",
]

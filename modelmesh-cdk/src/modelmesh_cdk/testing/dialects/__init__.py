"""Wire dialects: how a vendor's API is written down and read back, so that one check serves every vendor that speaks it.

==========================  =======================================================================================
:class:`Dialect`             what the kit asks of one; derive from it for a format that is not here
:class:`OpenAIDialect`       chat completions and embeddings
:class:`AnthropicDialect`    the Messages API
:class:`GeminiDialect`       ``generateContent``, ``streamGenerateContent`` and ``batchEmbedContents``
:class:`CohereDialect`       chat and embed, version 2
==========================  =======================================================================================
"""

from modelmesh_cdk.testing.dialects.anthropic import AnthropicDialect
from modelmesh_cdk.testing.dialects.cohere import CohereDialect
from modelmesh_cdk.testing.dialects.gemini import GeminiDialect
from modelmesh_cdk.testing.dialects.openai import OpenAIDialect
from modelmesh_cdk.testing.dialects.protocol import Dialect, Refusal

DIALECTS: dict[str, Dialect] = {
    "anthropic": AnthropicDialect(),
    "cohere": CohereDialect(),
    "gemini": GeminiDialect(),
    "openai": OpenAIDialect(),
}
"""The dialects that a test class can name."""

__all__ = [
    "DIALECTS",
    "AnthropicDialect",
    "CohereDialect",
    "Dialect",
    "GeminiDialect",
    "OpenAIDialect",
    "Refusal",
]

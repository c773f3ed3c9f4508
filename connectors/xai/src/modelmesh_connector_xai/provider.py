"""xAI's OpenAI-compatible API."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from modelmesh_cdk import ErrorMapping, LazyCodecs, OpenAICompatibleProvider, OperationCodec, operations_under
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_xai.error_mappings import MAPPINGS
from modelmesh_connector_xai.message_rules import RULES


class XAIProvider(OpenAICompatibleProvider):
    """Chat completions, images and transcriptions at xAI, and embeddings with a configured model.

    The variable is that of the xai-sdk package 1.21.0. Address and statuses are those of docs.x.ai (debugging errors): a wrong
    key is a 400, and error bodies contain a sentence in ``code`` and another in ``error``. All were read 2026-11-21.
    """

    id: ClassVar[str] = "xai.grok.v1"
    options: ClassVar[Collection[str]] = ()
    message_rules: ClassVar[MessageRules | None] = RULES
    # docs.x.ai (Responses API, rest-api-reference/files), read 2026-11-30
    native_operations: ClassVar[Collection[str]] = frozenset({"responses", *operations_under("files")})
    error_mappings: ClassVar[Sequence[ErrorMapping]] = MAPPINGS
    default_base_url: ClassVar[str] = "https://api.x.ai/v1"
    api_key_variable: ClassVar[str | None] = "XAI_API_KEY"
    operation_codecs: ClassVar[Mapping[str, OperationCodec]] = LazyCodecs("modelmesh_connector_xai.media")

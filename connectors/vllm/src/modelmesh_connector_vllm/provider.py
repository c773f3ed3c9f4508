"""vLLM's OpenAI-compatible server."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from modelmesh_cdk import ErrorMapping, QuickProvider
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_vllm.error_mappings import MAPPINGS
from modelmesh_connector_vllm.message_rules import RULES


class VLLMProvider(QuickProvider):
    """Chat completions and embeddings with the models of a vLLM server. Its model list contains context windows.

    Error bodies are those of github.com/vllm-project/vllm, current and older (issues 19464, 20409, 33418, read 2026-11-21):
    ``code`` contains the status, and ``type`` the name of the error.
    """

    id: ClassVar[str] = "vllm.local.v1"
    options: ClassVar[Collection[str]] = ()
    message_rules: ClassVar[MessageRules | None] = RULES
    # docs.vllm.ai/en/stable/serving/online_serving (0.32.0), read 2026-11-30
    native_operations: ClassVar[Collection[str]] = frozenset(
        {"responses", "responses.retrieve", "responses.cancel", "completions", "messages"}
    )
    error_mappings: ClassVar[Sequence[ErrorMapping]] = MAPPINGS
    default_base_url: ClassVar[str] = "http://localhost:8000"
    base_url_variable: ClassVar[str | None] = "VLLM_HOST"
    requests_base64_embeddings: ClassVar[bool] = True  # docs.vllm.ai/en/stable/examples/pooling/embed, read 2026-11-30

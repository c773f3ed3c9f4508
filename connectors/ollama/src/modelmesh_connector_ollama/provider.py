"""Ollama's OpenAI-compatible API."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import ClassVar

from modelmesh_cdk import ErrorMapping, QuickProvider
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_ollama.error_mappings import MAPPINGS
from modelmesh_connector_ollama.host import address_of
from modelmesh_connector_ollama.message_rules import RULES


class OllamaProvider(QuickProvider):
    """Chat completions and embeddings with the models of an Ollama server has.

    ``OLLAMA_HOST`` is parsed as the ollama package 0.6.3 does: scheme, host and port are optional. A key in
    ``OLLAMA_API_KEY`` is sent, as in that package. A self-hosted server needs no key. Read 2026-11-21.
    """

    id: ClassVar[str] = "ollama.local.v1"
    options: ClassVar[Collection[str]] = ()
    message_rules: ClassVar[MessageRules | None] = RULES
    # docs.ollama.com/api (OpenAI compatibility since 0.13.3, Anthropic compatibility), read 2026-11-30
    native_operations: ClassVar[Collection[str]] = frozenset({"responses", "completions", "messages"})
    error_mappings: ClassVar[Sequence[ErrorMapping]] = MAPPINGS
    default_base_url: ClassVar[str] = "http://localhost:11434"
    api_key_variable: ClassVar[str | None] = "OLLAMA_API_KEY"
    base_url_variable: ClassVar[str | None] = "OLLAMA_HOST"

    def _resolve_base_url(self) -> str:
        written = self.config.base_url.strip() or os.environ.get("OLLAMA_HOST", "").strip()
        return address_of(written) if written else super()._resolve_base_url()

"""LM Studio's OpenAI-compatible server."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from attrs import evolve

from modelmesh.contracts import ModelInfo
from modelmesh.errors import ProviderError
from modelmesh_cdk import ErrorMapping, QuickProvider
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_lmstudio.error_mappings import MAPPINGS
from modelmesh_connector_lmstudio.message_rules import RULES

EMBEDDINGS = "representation.embeddings.text-embeddings"


class LMStudioProvider(QuickProvider):
    """Chat completions and embeddings with the models of an LM Studio server.

    Paths and port are those of lmstudio.ai/docs (OpenAI compatibility). Since LM Studio 0.4.0 a server may require a token,
    which is read from ``LM_API_TOKEN`` as in LM Studio's own clients. The names of embedding models begin with
    ``text-embedding-``. Read 2026-11-21.
    """

    id: ClassVar[str] = "lmstudio.local.v1"
    options: ClassVar[Collection[str]] = ()
    message_rules: ClassVar[MessageRules | None] = RULES
    # lmstudio.ai/docs/developer (OpenAI and Anthropic compatibility, since 0.4.0), read 2026-11-30
    native_operations: ClassVar[Collection[str]] = frozenset({"responses", "completions", "messages"})
    error_mappings: ClassVar[Sequence[ErrorMapping]] = MAPPINGS
    default_base_url: ClassVar[str] = "http://localhost:1234"
    api_key_variable: ClassVar[str | None] = "LM_API_TOKEN"
    base_url_variable: ClassVar[str | None] = "LMSTUDIO_HOST"

    def _map_embedded_error(self, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> ProviderError:
        """Return the error of an error body under a success status.

        A server answers a path that it does not know with status 200 (lmstudio-ai/lmstudio-bug-tracker#618, read 2026-11-30).
        """
        if self._error_text(body).startswith("Unexpected endpoint or method"):
            return self._map_error_response(404, headers or {}, json.dumps(body).encode())
        return super()._map_embedded_error(body, headers)

    def _parse_model_row(self, row: Mapping[str, Any]) -> ModelInfo | None:
        """Return the catalogue row of one entry of the model list. The name identifies embedding models."""
        info = super()._parse_model_row(row)
        if info is not None and info.id.startswith("text-embedding-"):
            info = evolve(info, capabilities=(EMBEDDINGS,))  # type: ignore[arg-type] # mypy cannot see attrs' converter
        return info

"""LM Studio's OpenAI-compatible server."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from attrs import evolve

from modelmesh.contracts.models import ModelInfo
from modelmesh.routing.classes import FailureClass
from modelmesh_cdk import QuickProvider
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_lmstudio.message_rules import RULES

EMBEDDINGS = "representation.embeddings.text-embeddings"


class LMStudioProvider(QuickProvider):
    """Whatever models LM Studio has.

    Paths and port are those of lmstudio.ai/docs (OpenAI compatibility); since LM Studio 0.4.0 a server may want a token,
    which is read from ``LM_API_TOKEN`` as LM Studio's own clients do. LM Studio puts ``text-embedding-`` before the names of
    embedding models. Read 2026-11-21.
    """

    id: ClassVar[str] = "lmstudio.local.v1"
    options: ClassVar[Collection[str]] = ()
    message_rules: ClassVar[MessageRules | None] = RULES
    default_base_url: ClassVar[str] = "http://localhost:1234"
    api_key_variable: ClassVar[str | None] = "LM_API_TOKEN"
    base_url_variable: ClassVar[str | None] = "LMSTUDIO_HOST"

    def _parse_model_row(self, row: Mapping[str, Any]) -> ModelInfo | None:
        """Return a model of the server's list; one that makes embeddings is told by its name."""
        info = super()._parse_model_row(row)
        if info is not None and info.id.startswith("text-embedding-"):
            info = evolve(info, capabilities=(EMBEDDINGS,))  # type: ignore[arg-type] # mypy cannot see attrs' converter
        return info

    def _classify(self, status: int, code: str | None, headers: Mapping[str, str], body: Any) -> FailureClass:
        """Map a refusal; a model that is not there is refused with a code, a context that is too long with words only."""
        if status == 400:  # noqa: PLR2004 - bad request
            if code == "model_not_found":
                return FailureClass.NOT_FOUND
            if "context length" in self._error_text(body):
                return FailureClass.CAPABILITY
        return super()._classify(status, code, headers, body)

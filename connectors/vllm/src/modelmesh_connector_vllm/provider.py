"""vLLM's OpenAI-compatible server."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from modelmesh.routing.classes import FailureClass
from modelmesh_cdk import QuickProvider
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_vllm.message_rules import RULES


class VLLMProvider(QuickProvider):
    """Whatever models a vLLM server has; their context windows are in its list.

    Error bodies are those of github.com/vllm-project/vllm, current and older (issues 19464, 20409, 33418; read 2026-11-21):
    the status once more as ``code``, and the name of the error as ``type``.
    """

    id: ClassVar[str] = "vllm.local.v1"
    options: ClassVar[Collection[str]] = ()
    message_rules: ClassVar[MessageRules | None] = RULES
    default_base_url: ClassVar[str] = "http://localhost:8000"
    base_url_variable: ClassVar[str | None] = "VLLM_HOST"

    def _error_code(self, body: Any) -> str | None:
        """Return the name of the error where its ``code`` is only the status again."""
        error = body.get("error", body) if isinstance(body, Mapping) else None
        if not isinstance(error, Mapping):
            return None
        code = error.get("code")
        return code if isinstance(code, str) and code else str(error.get("type") or code or "") or None

    def _classify(self, status: int, code: str | None, headers: Mapping[str, str], body: Any) -> FailureClass:
        """Map a refusal; a context that is too long has no code of its own, only words."""
        if status == 400 and "maximum context length" in self._error_text(body):  # noqa: PLR2004 - bad request
            return FailureClass.CAPABILITY
        return super()._classify(status, code, headers, body)

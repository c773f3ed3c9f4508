"""xAI's OpenAI-compatible API."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from modelmesh.routing.classes import FailureClass
from modelmesh_cdk import OpenAICompatibleProvider
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_xai.message_rules import RULES

_CANNOT = re.compile(r"maximum prompt length|not support(ed)?\b", re.IGNORECASE)
_USED_UP = re.compile(r"\b(credits|spending limit)\b", re.IGNORECASE)


class XAIProvider(OpenAICompatibleProvider):
    """Chat completions, and embeddings with a model that you name, at xAI.

    The variable is that of the xai-sdk package 1.21.0; address and statuses are those of docs.x.ai (debugging errors), where
    a wrong key is a 400; error bodies hold a sentence in ``code`` and another in ``error``. All read 2026-11-21.
    """

    id: ClassVar[str] = "xai.grok.v1"
    options: ClassVar[Collection[str]] = ()
    message_rules: ClassVar[MessageRules | None] = RULES
    default_base_url: ClassVar[str] = "https://api.x.ai/v1"
    api_key_variable: ClassVar[str | None] = "XAI_API_KEY"

    def _error_code(self, body: Any) -> str | None:
        """Return the code, which stands beside ``error`` and not in it."""
        if isinstance(body, Mapping) and not isinstance(body.get("error"), Mapping) and body.get("code"):
            return str(body["code"])
        return super()._error_code(body)

    def _classify(self, status: int, code: str | None, headers: Mapping[str, str], body: Any) -> FailureClass:
        """Map a refusal by its words, where the status says something else."""
        text = self._error_text(body)
        if status == 400:  # noqa: PLR2004 - bad request
            if "API key" in text:
                return FailureClass.CREDENTIAL
            if _CANNOT.search(text):
                return FailureClass.CAPABILITY
        if status in (403, 429) and _USED_UP.search(text):
            return FailureClass.QUOTA
        if status == 403 and "usage guidelines" in text:  # noqa: PLR2004 - forbidden
            return FailureClass.POLICY
        return super()._classify(status, code, headers, body)

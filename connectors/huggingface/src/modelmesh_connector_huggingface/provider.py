"""Hugging Face's router to many inference providers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from modelmesh.routing.classes import FailureClass
from modelmesh_cdk import OpenAICompatibleProvider

NOT_SERVED = ("model_not_supported", "model_not_found")


class HuggingFaceProvider(OpenAICompatibleProvider):
    """Chat completions at Hugging Face Inference Providers.

    Address and the header ``X-HF-Bill-To`` are those of the huggingface-hub package 2.4.0 (``constants.py``), read 2026-11-21.

    Options:
        bill_to: The organization that pays, sent as ``X-HF-Bill-To``.
    """

    id: ClassVar[str] = "huggingface.inference.v1"
    default_base_url: ClassVar[str] = "https://router.huggingface.co/v1"
    probe_path: ClassVar[str] = ""  # its list of models opens without a key
    api_key_variable: ClassVar[str | None] = "HF_TOKEN"
    other_key_variables: ClassVar[Sequence[str]] = ("HF_API_KEY", "HUGGINGFACE_API_TOKEN")

    def _build_headers(self) -> dict[str, str]:
        """Return the headers of every request."""
        headers = super()._build_headers()
        payer = self.config.options.get("bill_to")
        return {**headers, "X-HF-Bill-To": str(payer)} if payer else headers

    def _classify(self, status: int, code: str | None, headers: Mapping[str, str], body: Any) -> FailureClass:
        """Map a refusal; a model that no enabled provider serves is a 400 here."""
        text = self._error_text(body)
        if status == 400:  # noqa: PLR2004 - bad request
            if code in NOT_SERVED or "not supported by any provider" in text:
                return FailureClass.NOT_FOUND
            if "maximum context length" in text:
                return FailureClass.CAPABILITY
        return super()._classify(status, code, headers, body)

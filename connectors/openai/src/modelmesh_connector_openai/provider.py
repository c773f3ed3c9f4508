"""OpenAI's own API."""

from __future__ import annotations

from typing import ClassVar

from modelmesh_cdk import OpenAICompatibleProvider


class OpenAIProvider(OpenAICompatibleProvider):
    """Chat completions at OpenAI.

    The options ``organization`` and ``project`` are sent as headers. The variables are those of the openai package
    3.52.0 (read 2026-11-21).
    """

    id: ClassVar[str] = "openai.llm.v1"
    default_base_url: ClassVar[str] = "https://api.openai.com/v1"
    api_key_variable: ClassVar[str | None] = "OPENAI_API_KEY"
    base_url_variable: ClassVar[str | None] = "OPENAI_BASE_URL"

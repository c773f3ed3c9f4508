"""Groq's OpenAI-compatible API."""

from __future__ import annotations

from typing import ClassVar

from modelmesh_cdk import OpenAICompatibleProvider


class GroqProvider(OpenAICompatibleProvider):
    """Chat completions at Groq.

    Variables and paths are those of the groq package 1.7.0 (read 2026-11-21), whose address has no path of its own.
    """

    id: ClassVar[str] = "groq.api.v1"
    default_base_url: ClassVar[str] = "https://api.groq.com/openai/v1"
    api_key_variable: ClassVar[str | None] = "GROQ_API_KEY"
    base_url_variable: ClassVar[str | None] = "GROQ_BASE_URL"
    api_version: ClassVar[str] = "/openai/v1"

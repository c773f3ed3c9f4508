"""A fake server in OpenAI's format, and an environment without Groq's variables."""

from __future__ import annotations

import pytest

from modelmesh_cdk.testing import OpenAIUpstream, openai_upstream

__all__ = ["openai_upstream"]


@pytest.fixture
def upstream(openai_upstream: OpenAIUpstream) -> OpenAIUpstream:
    """A server for each test."""
    return openai_upstream


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the vendor's variables from the environment."""
    for name in ("GROQ_API_KEY", "GROQ_BASE_URL", "GROQ_CUSTOM_HEADERS"):
        monkeypatch.delenv(name, raising=False)

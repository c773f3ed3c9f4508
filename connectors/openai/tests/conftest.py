"""A fake server in OpenAI's format, and an environment without OpenAI's variables."""

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
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_CUSTOM_HEADERS"):
        monkeypatch.delenv(name, raising=False)

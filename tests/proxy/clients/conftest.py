"""One vendor of three dialects and one running proxy for all tests of unmodified clients."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode does not add the folder

from modelmesh_cdk.testing import Upstream
from modelmesh_proxy import ProxyServer


def _config(url: str) -> dict[str, object]:
    patient = {"retry": {"initial_delay": "5ms"}, "deactivation": {"failure_threshold": 10_000, "retry_limit": 10_000}}
    return {
        "providers": {
            "openai": {
                "connector": "openai.llm.v1",
                "api_key": "sk-test-o",
                "base_url": f"{url}/v1",
                "models": ["model-o", "embed"],
            },
            "anthropic": {"connector": "anthropic.claude.v1", "api_key": "sk-test-a", "base_url": url, "models": ["model-a"]},
            "google": {"connector": "google.gemini.v1", "api_key": "test-g", "base_url": url, "models": ["model-g"]},
        },
        "models": {"embed": {"provider": "openai", "capabilities": ["text-embeddings"]}},
        "pools": {
            "chat": {
                "capability": "chat-completion",
                "models": ["model-o"],
                "aliases": ["gpt-4o", "gemini-2.5-flash"],
                **patient,
            },
            "claude": {"capability": "chat-completion", "models": ["model-a"], **patient},
            "gemini": {"capability": "chat-completion", "models": ["model-g"], **patient},
            "text-embeddings": {"models": ["embed"]},
        },
    }


@pytest.fixture(scope="session")
def vendor() -> Iterator[Upstream]:
    from vendor_server import answer

    with Upstream() as server:
        yield server.always(answer)


@pytest.fixture(scope="session")
def proxy(vendor: Upstream) -> Iterator[str]:
    for name in [one for one in os.environ if one.lower().endswith("_proxy")]:
        del os.environ[name]
    server = ProxyServer(_config(vendor.url), port=0)
    server.start(block=False)
    yield f"http://127.0.0.1:{server.get_status().port}"
    server.stop()

"""Configuration of the proxy for the tests of unmodified clients."""

from __future__ import annotations

PRICING = {"input_per_1k_tokens": 0.001, "output_per_1k_tokens": 0.002}


def configuration(url: str) -> dict[str, object]:
    """Return pools of one vendor each, with aliases, prices and patience with failures."""
    patient = {"retry": {"initial_delay": "5ms"}, "deactivation": {"failure_threshold": 10_000, "retry_limit": 10_000}}
    return {
        "providers": {
            "openai": {
                "connector": "openai.llm.v1",
                "api_key": "sk-test-o",
                "base_url": f"{url}/v1",
            },
            "anthropic": {"connector": "anthropic.claude.v1", "api_key": "sk-test-a", "base_url": url},
            "failing": {"connector": "openai.llm.v1", "api_key": "sk-test-f", "base_url": f"{url}/v1"},
            "failing-a": {"connector": "anthropic.claude.v1", "api_key": "sk-test-f", "base_url": url},
            "google": {"connector": "google.gemini.v1", "api_key": "test-g", "base_url": url},
        },
        "models": {
            "model-o": {"provider": "openai", "pricing": PRICING, "capabilities": ["chat-completion"]},
            "model-a": {"provider": "anthropic", "pricing": PRICING, "capabilities": ["chat-completion"]},
            "model-g": {"provider": "google", "pricing": PRICING, "capabilities": ["chat-completion"]},
            "model-f": {"provider": "failing", "capabilities": ["chat-completion"]},
            "model-fa": {"provider": "failing-a", "capabilities": ["chat-completion"]},
            "embed": {"provider": "openai", "pricing": {"input_per_1k_tokens": 0.001}, "capabilities": ["text-embeddings"]},
        },
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
            "failing": {"capability": "chat-completion", "models": ["model-f"], **patient},
            "failing-claude": {"capability": "chat-completion", "models": ["model-fa"], **patient},
        },
    }

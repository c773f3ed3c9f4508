"""Requests to Groq: address, headers and parameters."""

from __future__ import annotations

from typing import Any

import pytest
from modelmesh_connector_groq import GroqProvider

import modelmesh
from modelmesh.errors import ConfigurationError

HELLO = [{"role": "user", "content": "Hello"}]


def ask(base_url: str | None = None, arguments: dict[str, Any] | None = None, **settings: Any) -> Any:
    entry: dict[str, Any] = {"connector": "groq.api.v1", "models": ["openai/gpt-oss-20b"], **settings}
    if base_url is not None:
        entry["base_url"] = base_url
    with modelmesh.create(config={"providers": {"account": entry}, "pools": {"chat-completion": {}}}) as client:
        return client.chat.completions.create(**{"model": "chat-completion", "messages": HELLO, **(arguments or {})})


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("/openai", "/openai/v1/chat/completions"),
        ("/openai/", "/openai/v1/chat/completions"),
        ("/gateway", "/gateway/openai/v1/chat/completions"),
        ("/gateway/openai", "/gateway/openai/v1/chat/completions"),
        ("/gateway/v1", "/gateway/v1/chat/completions"),
    ],
)
def test_base_url_path_is_appended_once(upstream: Any, written: str, path: str) -> None:
    ask(upstream.url + written, api_key="gsk-test")
    assert (upstream.last.method, upstream.last.path) == ("POST", path)


def test_base_url_default_is_that_of_sdk() -> None:
    groq = pytest.importorskip("groq")
    root = str(groq.Groq(api_key="gsk-test").base_url).rstrip("/")
    assert GroqProvider(api_key="gsk-test")._get_completion_endpoint() == f"{root}/openai/v1/chat/completions"


def test_key_and_base_url_variables_are_read(upstream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk-test-of-the-variable")
    monkeypatch.setenv("GROQ_BASE_URL", upstream.url)
    ask()
    assert upstream.last.headers["authorization"] == "Bearer gsk-test-of-the-variable"
    assert upstream.last.path == "/openai/v1/chat/completions"


def test_provider_without_key_names_variable() -> None:
    with pytest.raises(ConfigurationError, match=r"groq\.api\.v1 has no API key.*export GROQ_API_KEY="):
        ask("http://127.0.0.1:9")


def test_request_missing_parameters_are_not_sent(upstream: Any) -> None:
    ask(upstream.url, {"temperature": None}, api_key="gsk-test")
    assert upstream.last.json == {"model": "openai/gpt-oss-20b", "messages": HELLO}
    assert not [name for name in upstream.last.headers if name.startswith("openai-")]


def test_request_groq_and_unknown_parameters_are_sent(upstream: Any) -> None:
    given = {
        "include_reasoning": True,
        "reasoning_format": "parsed",
        "search_settings": {"country": "ch"},
        "of_next_year": [None],
    }
    ask(upstream.url, given, api_key="gsk-test")
    assert {name: upstream.last.json[name] for name in given} == given

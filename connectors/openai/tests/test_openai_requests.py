"""Requests to OpenAI: address, headers and parameters."""

from __future__ import annotations

from typing import Any

import pytest
from modelmesh_connector_openai import OpenAIProvider

import modelmesh
from modelmesh.errors import AuthenticationError, ConfigurationError

HELLO = [{"role": "user", "content": "Hello"}]


def client_of(base_url: str | None = None, **settings: Any) -> modelmesh.MeshClient:
    entry: dict[str, Any] = {"connector": "openai.llm.v1", "models": ["gpt-4o-mini"], **settings}
    if base_url is not None:
        entry["base_url"] = base_url
    return modelmesh.create(config={"providers": {"account": entry}, "pools": {"chat-completion": {}}})


def ask(client: modelmesh.MeshClient, **arguments: Any) -> Any:
    with client:
        return client.chat.completions.create(**{"model": "chat-completion", "messages": HELLO, **arguments})


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("/gateway", "/gateway/v1/chat/completions"),
        ("/gateway/v1/", "/gateway/v1/chat/completions"),
        ("/gateway/v2beta/openai", "/gateway/v2beta/openai/chat/completions"),
    ],
)
def test_base_url_path_is_appended_once(upstream: Any, written: str, path: str) -> None:
    ask(client_of(upstream.url + written, api_key="sk-test"))
    assert (upstream.last.method, upstream.last.path) == ("POST", path)


def test_base_url_default_is_that_of_sdk() -> None:
    openai = pytest.importorskip("openai")
    sdk = openai.OpenAI(api_key="sk-test")
    assert OpenAIProvider(api_key="sk-test")._get_completion_endpoint() == f"{sdk.base_url}chat/completions"


def test_key_and_base_url_variables_are_read(upstream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-of-the-variable")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{upstream.url}/v1")
    ask(client_of())
    assert upstream.last.headers["authorization"] == "Bearer sk-test-of-the-variable"


def test_configured_values_precede_variables(upstream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-of-the-variable")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    ask(client_of(upstream.url, api_key="sk-test-configured"))
    assert upstream.last.headers["authorization"] == "Bearer sk-test-configured"


def test_provider_without_key_names_variable() -> None:
    with pytest.raises(ConfigurationError, match=r"openai\.llm\.v1 has no API key.*export OPENAI_API_KEY="):
        client_of("http://127.0.0.1:9")


def test_organization_and_project_are_sent_as_headers(upstream: Any) -> None:
    ask(client_of(upstream.url, api_key="sk-test", organization="org-test", project="proj-test"))
    headers = upstream.last.headers
    assert (headers["openai-organization"], headers["openai-project"]) == ("org-test", "proj-test")


def test_organization_and_project_variables_are_read(upstream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-the-variable")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-of-the-variable")
    ask(client_of(upstream.url, api_key="sk-test", organization="org-configured"))
    headers = upstream.last.headers
    assert (headers["openai-organization"], headers["openai-project"]) == ("org-configured", "proj-of-the-variable")


def test_request_without_organization_has_no_header(upstream: Any) -> None:
    ask(client_of(upstream.url, api_key="sk-test"))
    assert not [name for name in upstream.last.headers if name.startswith("openai-")]


def test_request_missing_parameters_are_not_sent(upstream: Any) -> None:
    ask(client_of(upstream.url, api_key="sk-test"), temperature=None)
    assert upstream.last.json == {"model": "gpt-4o-mini", "messages": HELLO}


def test_request_unknown_parameters_are_sent(upstream: Any) -> None:
    ask(
        client_of(upstream.url, api_key="sk-test"),
        reasoning_effort="xhigh",
        parameter_of_next_year={"deep": [1, None, "ü"]},
        extra_body={"another": True},
        extra_headers={"X-Trace": "test"},
        extra_query={"api-version": "2027-01-01"},
    )
    request = upstream.last
    assert request.json["reasoning_effort"] == "xhigh"
    assert request.json["parameter_of_next_year"] == {"deep": [1, None, "ü"]}
    assert request.json["another"] is True
    assert request.headers["x-trace"] == "test"
    assert request.path == "/v1/chat/completions?api-version=2027-01-01"


def test_request_configured_headers_are_sent(upstream: Any) -> None:
    ask(client_of(upstream.url, api_key="sk-test", headers={"X-Team": "search"}))
    assert upstream.last.headers["x-team"] == "search"


def test_key_is_masked_in_repr_and_errors(upstream: Any) -> None:
    key = "sk-test-do-not-show"
    provider = OpenAIProvider(api_key=key, base_url=upstream.url)
    assert key not in f"{provider!r} {provider.config!r}"
    upstream.status, upstream.body = 401, {"error": {"message": f"Incorrect API key provided: {key}", "code": "invalid_api_key"}}
    with pytest.raises(AuthenticationError) as caught:
        ask(client_of(upstream.url, api_key=key))
    assert key not in f"{caught.value} {caught.value.details} {caught.value.last_error.body}"  # type: ignore[attr-defined]

"""Known error responses of vendors: failure class and failover, plain and streamed, in threads and tasks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from vendor_bodies import CONNECTORS, KNOWN, PAGE, Known

import modelmesh
from modelmesh.errors import BadRequestError, BadUpstreamResponseError, ModelMeshError, ProviderError
from modelmesh_cdk.testing import Script, Upstream

MESSAGES = [{"role": "user", "content": "Hello!"}]
CHAT = "chat-completion"


def two_accounts(known_at: str, connector: str, other_at: str, *, window: int | None = None) -> dict[str, Any]:
    """Return an account at a vendor and one at OpenAI, with one model each."""
    first = {"connector": connector, "api_key": "test-key", "base_url": known_at}
    second = {"connector": "openai.llm.v1", "api_key": "test-key-2", "base_url": other_at}
    wide = {"context_window": window} if window else {"context_window": 4_000_000}
    return {
        "providers": {"a": first, "b": second},
        "models": {
            "model-a": {"provider": "a", "capabilities": [CHAT], "constraints": {"context_window": 100_000}},
            "model-b": {"provider": "b", "capabilities": [CHAT], "constraints": wide},
        },
        "pools": {CHAT: {"capability": CHAT}},
    }


def ids(known: Known) -> str:
    return f"{known.connector.split('.')[0]}-{known.status}-{known.failure}-{KNOWN.index(known)}"


@pytest.mark.parametrize("known", KNOWN, ids=ids)
def test_known_error_has_its_class_and_fails_over(
    known: Known, ask: Callable[..., Any], upstream: Upstream, other: Upstream
) -> None:
    upstream.always(Script(known.status, known.raw))
    reply = ask(two_accounts(upstream.url, known.connector, other.url))
    assert (reply.text, reply.model) == ("Hello!", "model-b")
    assert [attempt.failure for attempt in reply.attempts] == [known.failure, None]


@pytest.mark.parametrize("known", [known for known in KNOWN if known.too_long], ids=ids)
def test_too_long_prompt_is_retried_at_larger_window(known: Known, upstream: Upstream, other: Upstream) -> None:
    upstream.always(Script(known.status, known.raw))
    with modelmesh.create(config=two_accounts(upstream.url, known.connector, other.url, window=100_000)) as client:
        with pytest.raises(BadRequestError):
            client.chat.completions.create(model=CHAT, messages=MESSAGES)
        assert [model.failure_count for model in client.mesh.list_models()] == [0, 0]
    assert other.received == []


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 422, 501])
@pytest.mark.parametrize("connector", CONNECTORS)
def test_html_page_is_an_outage_and_fails_over(connector: str, status: int, upstream: Upstream, other: Upstream) -> None:
    upstream.always(Script(status, PAGE.encode(), content_type="text/html"))
    with modelmesh.create(config=two_accounts(upstream.url, connector, other.url)) as client:
        reply = client.chat.completions.create(model=CHAT, messages=MESSAGES)
    assert (reply.model, [attempt.failure for attempt in reply.attempts]) == ("model-b", ["protocol", None])


@pytest.mark.parametrize("connector", CONNECTORS)
def test_html_page_of_only_account_is_a_server_error(connector: str, upstream: Upstream) -> None:
    upstream.always(Script(400, PAGE.encode(), content_type="text/html"))
    config = two_accounts(upstream.url, connector, upstream.url)
    del config["models"]["model-b"], config["providers"]["b"]
    with modelmesh.create(config=config) as client, pytest.raises(ModelMeshError) as caught:
        client.chat.completions.create(model=CHAT, messages=MESSAGES)
    assert isinstance(caught.value, BadUpstreamResponseError)
    assert not isinstance(caught.value, BadRequestError)


UNEXPLAINED = {
    "no body": b"",
    "no JSON": b"Bad Request",
    "an empty object": b"{}",
    "null": b"null",
    "a list": b"[]",
    "a number": b"7",
    "another error": b'{"error": {"message": "Grammar error: schema too complex", "type": "invalid_request_error", "code": null}}',
    "a validation error": b'{"detail": [{"loc": ["body", "messages"], "msg": "field required", "type": "value_error.missing"}]}',
    "strange types": b'{"error": {"message": {"a": [1]}, "type": 7, "code": {"b": null}, "param": [[]]}}',
    "cut": b'{"error": {"mess',
}


@pytest.mark.parametrize("name", UNEXPLAINED)
@pytest.mark.parametrize("connector", CONNECTORS)
def test_unexplained_error_is_retried_once_elsewhere(connector: str, name: str, upstream: Upstream, other: Upstream) -> None:
    upstream.always(Script(400, UNEXPLAINED[name]))
    with modelmesh.create(config=two_accounts(upstream.url, connector, other.url)) as client:
        reply = client.chat.completions.create(model=CHAT, messages=MESSAGES)
        assert (reply.model, [attempt.failure for attempt in reply.attempts]) == ("model-b", ["refused", None])
        other.always(Script(422, b'{"error": {"message": "wrong there, too", "code": "second"}}'))
        with pytest.raises(ProviderError) as caught:
            client.chat.completions.create(model=CHAT, messages=MESSAGES)
        assert (caught.value.status, caught.value.provider_id) == (400, "a")
        assert [(attempt.provider_id, attempt.status) for attempt in caught.value.attempts] == [("a", 400), ("b", 422)]
        assert [model.failure_count for model in client.mesh.list_models()] == [0, 0]
        assert client.pool_status()[CHAT].active == 2
    assert [len(server.received) for server in (upstream, other)] == [2, 2]


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        ({"message": "slow down", "code": 429}, "throttle"),
        ({"message": "slow down", "code": "rate_limit_exceeded"}, "throttle"),
        ({"message": "You exceeded your current quota", "code": "insufficient_quota"}, "quota"),
        ({"message": "no", "code": "invalid_api_key"}, "credential"),
        ({"message": "The model `m` does not exist", "code": "model_not_found"}, "not-found"),
        ({"message": "Failed to call a function.", "code": "tool_use_failed"}, "capability"),
        ({"message": "Provider returned error", "code": 400}, "refused"),
        ({"message": "overloaded", "code": 529}, "server"),
        ({"message": "Internal Server Error", "code": 500}, "server"),
        ({"message": "does not support tools"}, "capability"),
        ("anything", "protocol"),
        ({"message": "what is this"}, "protocol"),
    ],
)
def test_error_body_with_status_200_is_classified_by_code(
    error: Any, failure: str, ask: Callable[..., Any], upstream: Upstream, other: Upstream
) -> None:
    upstream.always(Script(200, json.dumps({"error": error}).encode()))
    reply = ask(two_accounts(upstream.url, "openrouter.gateway.v1", other.url))
    assert (reply.text, reply.model) == ("Hello!", "model-b")
    assert [attempt.failure for attempt in reply.attempts] == [failure, None]

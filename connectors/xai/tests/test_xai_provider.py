"""Error mapping of xAI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from modelmesh_connector_xai import XAIProvider

from modelmesh.contracts import CHAT
from modelmesh.contracts import FailureClass as F
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing import Upstream

MESSAGES = [{"role": "user", "content": "Hello!"}]
KEY = "test-key-of-the-account"


@pytest.fixture(autouse=True)
def _clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XAI_API_KEY",):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def send(provider: XAIProvider) -> Any:
    """Send one request and return the response body."""
    try:
        return provider.send(Call(CHAT, "test", {"messages": MESSAGES}), "grok-4.7", Limits()).body
    finally:
        provider.close()


INVALID = "Client specified an invalid argument"


@pytest.mark.parametrize(
    ("status", "code", "error_text", "failure"),
    [
        (400, INVALID, "Incorrect API key provided: te***st.", F.CREDENTIAL),
        (400, INVALID, "This model's maximum prompt length is 500000 but the request contains 500001 tokens.", F.CAPABILITY),
        (400, INVALID, "Model grok-4.7 does not support parameter presencePenalty.", F.CAPABILITY),
        (400, INVALID, "Argument not supported on this model: stop", F.CAPABILITY),
        (400, INVALID, "Each message must have at least one content element.", F.REFUSED),
        (401, "Unauthenticated", "no authorization header", F.CREDENTIAL),
        (403, "permission-denied", "Your newly created team doesn't have any credits yet.", F.QUOTA),
        (403, "permission-denied", "Content violates usage guidelines.", F.POLICY),
        (403, "permission-denied", "this key may not use the model", F.PERMISSION),
        (404, "Some requested entity was not found", "The model missing does not exist", F.NOT_FOUND),
        (429, "Some resource has been exhausted", "used all available credits or reached its monthly spending limit", F.QUOTA),
        (429, "Some resource has been exhausted", "Too many requests", F.THROTTLE),
    ],
)
def test_send_error_response_has_failure_class(upstream: Upstream, status: int, code: str, error_text: str, failure: F) -> None:
    upstream.reply({"code": code, "error": error_text}, status)
    with pytest.raises(ProviderError) as caught:
        send(XAIProvider(base_url=upstream.url, api_key=KEY))
    assert (caught.value.failure, caught.value.code) == (failure, code)

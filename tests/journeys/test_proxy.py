"""The same failures through the proxy: official SDKs with its address, and no knowledge of the vendors.

The proxy has the shipped catalogues and defaults, and the keys of two vendors of which the first fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle

import anthropic
import openai
import pytest
from cells import SHORT
from fakevendors import CHAT, WAYS, Street
from opening import MESSAGES, Opening, ask

from modelmesh_proxy import ProxyServer

NAMES = list(CHAT)
PAIRS = dict(zip(WAYS, zip(cycle(NAMES), cycle([*NAMES[3:], *NAMES[:3]])), strict=False))
"""A failing and a healthy vendor for each failure."""


@contextmanager
def proxy_of(opening: Opening) -> Iterator[str]:
    """Run a proxy over the mesh of ``create()``, and return its address."""
    with opening.sync() as client:
        server = ProxyServer(client.mesh, port=0)
        server.start(block=False)
        try:
            yield f"http://127.0.0.1:{server.get_status().port}"
        finally:
            server.stop()


@pytest.mark.parametrize("way", WAYS)
def test_openai_sdk_gets_every_answer_while_one_vendor_is_healthy(way: str, street: Street) -> None:
    first, second = PAIRS[way]
    bad, good = street.account(first, way), street.account(second)
    with proxy_of(Opening.of(bad, good, **(SHORT if way == "hang" else {}))) as url:
        sdk = openai.OpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0)
        texts = [ask(sdk, stream=bool(number % 2)) for number in range(6)]
        reply = sdk.chat.completions.with_raw_response.create(model="chat-completion", messages=MESSAGES)
    assert [text for text in texts if not text.startswith(f"{second} answers.")] == []
    assert good.refused == []
    assert reply.headers["x-modelmesh-provider"] == second
    assert int(reply.headers["x-modelmesh-attempts"]) >= 1
    assert bad.calls or not WAYS[way].served or way == "tls", "no request reached the failing vendor"


@pytest.mark.parametrize("way", ["error", "cut", "throttled"])
def test_anthropic_sdk_gets_every_answer_while_one_vendor_is_healthy(way: str, street: Street) -> None:
    bad, good = street.account("anthropic", way), street.account("openai")
    with proxy_of(Opening.of(bad, good)) as url:
        sdk = anthropic.Anthropic(base_url=url, api_key="unused", max_retries=0)
        arguments = {"model": "chat-completion", "messages": MESSAGES, "max_tokens": 100}
        whole = sdk.messages.create(**arguments).content[0].text
        with sdk.messages.stream(**arguments) as stream:
            streamed = stream.get_final_text()
    assert (whole[:14], streamed[:14]) == ("openai answers", "openai answers")


def test_vendors_that_all_fail_are_one_typed_error(street: Street) -> None:
    accounts = [street.account("openai", "error"), street.account("groq", "overloaded")]
    with proxy_of(Opening.of(*accounts)) as url:
        sdk = openai.OpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0)
        with pytest.raises(openai.InternalServerError) as caught:
            ask(sdk)
    assert caught.value.status_code == 502
    assert "openai" in str(caught.value)
    assert "groq" in str(caught.value)
    assert caught.value.code == "server_error"

"""HTTP clients of the caller, of httpx2 and httpx, and the setting ``transport``."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from typing import Any

import httpx
import httpx2
import pytest
from raw_server import answer_to, raw_server

import modelmesh
from modelmesh.errors import AllProvidersExhaustedError, ConfigurationError
from modelmesh_cdk import BaseProvider
from modelmesh_cdk.transport import selection

HELLO: dict[str, Any] = {"model": "chat-completion", "messages": [{"role": "user", "content": "Hi"}]}
LIBRARIES = pytest.mark.parametrize("library", [httpx2, httpx], ids=["httpx2", "httpx"])


def settings(url: str, **more: Any) -> dict[str, Any]:
    entry = {"connector": "openai.llm.v1", "api_key": "test-key", "base_url": url, "models": ["m"], **more}
    return {"providers": {"a": entry}, "pools": {"chat-completion": {"retry": {"max_attempts": 0}}}}


def hello(_: int, request: bytes) -> bytes:
    return answer_to(request, "hello")


def ask(config: dict[str, Any], **more: Any) -> Any:
    with modelmesh.create(config=config) as client:
        return client.chat.completions.create(**HELLO, **more)


async def aask(config: dict[str, Any], **more: Any) -> Any:
    async with modelmesh.create_async(config=config) as client:
        return await client.chat.completions.create(**HELLO, **more)


@LIBRARIES
def test_client_of_the_caller_serves_threads(library: Any) -> None:
    with raw_server(hello) as server, library.Client(headers={"X-Client": library.__name__}) as client:
        reply = ask(settings(server.url, http_client=client))
        assert reply.choices[0].message.content
        assert f"x-client: {library.__name__}".encode() in server.requests[0].lower()
        assert not client.is_closed


@LIBRARIES
def test_headers_cookies_and_auth_of_a_client_of_the_caller_are_sent(library: Any) -> None:
    options = {"headers": {"X-Team": "blue"}, "cookies": {"gate": "open"}, "auth": library.BasicAuth("us", "test")}
    with raw_server(hello) as server, library.Client(**options) as client:
        ask(settings(server.url, http_client=client))
    head = server.requests[0].lower()
    assert b"x-team: blue" in head
    assert b"cookie: gate=open" in head
    assert b"authorization: basic " in head
    assert head.count(b"authorization:") == head.count(b"host:") == head.count(b"content-length:") == 1
    assert b"user-agent: modelmesh/" in head


@LIBRARIES
@pytest.mark.parametrize("name", ["http_client", "http_async_client"])
def test_async_client_of_the_caller_serves_tasks(library: Any, name: str) -> None:
    async def main() -> Any:
        async with library.AsyncClient(headers={"X-Client": library.__name__}) as client:
            reply = await aask(settings(server.url, **{name: client}))
            assert not client.is_closed
            return reply

    with raw_server(hello) as server:
        assert asyncio.run(main()).choices[0].message.content
        assert f"x-client: {library.__name__}".encode() in server.requests[0].lower()


@LIBRARIES
def test_streams_of_a_client_of_the_caller(library: Any) -> None:
    async def main() -> str:
        async with library.AsyncClient() as client:
            stream = await aask(settings(server.url, http_client=client), stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

    with (
        raw_server(hello) as server,
        library.Client() as client,
        modelmesh.create(config=settings(server.url, http_client=client)) as mesh,
    ):
        stream = mesh.chat.completions.create(**HELLO, stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == "hello"
        assert asyncio.run(main()) == "hello"


@LIBRARIES
def test_errors_of_a_client_of_the_caller_are_typed(library: Any) -> None:
    def broken(_: int, __: bytes) -> bytes:
        return b"HTTP/1.1 200 OK\r\nContent-Length: nine\r\n\r\n"

    with raw_server(broken) as server, library.Client() as client:
        with pytest.raises(AllProvidersExhaustedError) as caught:
            ask(settings(server.url, http_client=client))
        assert "RemoteProtocolError: " in str(caught.value)
    with library.Client() as client, pytest.raises(AllProvidersExhaustedError) as caught:
        ask(settings("http://127.0.0.1:9", http_client=client))
    assert "cannot connect to a" in str(caught.value)


def _trickle(_: int, __: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"1\r\n \r\n" * 5


@LIBRARIES
def test_deadline_holds_over_a_client_of_the_caller(library: Any) -> None:
    # The limit of a read restarts with every byte, so the total is checked after each read.
    with raw_server(_trickle) as server, library.Client() as client:
        config = settings(server.url, http_client=client, timeouts={"gap": "200ms", "total": "500ms"})
        began = time.monotonic()
        with pytest.raises(AllProvidersExhaustedError, match="timeout"):
            ask(config)
        assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("client", "named"),
    [
        (object(), "an object of builtins.object"),
        (httpx2.Client, "the class httpx2.Client"),
        ("http://proxy.test", "an object of builtins.str"),
    ],
    ids=["object", "class", "text"],
)
def test_unusable_client_is_an_error(client: Any, named: str) -> None:
    with pytest.raises(ConfigurationError, match="http_client of the provider openai.llm.v1 must be") as caught:
        modelmesh.create(config=settings("http://127.0.0.1:9", http_client=client))
    assert named in str(caught.value)


def test_clients_of_wrong_kinds_are_errors() -> None:
    with pytest.raises(ConfigurationError, match="http_async_client .* must be an AsyncClient"):
        BaseProvider(base_url="http://127.0.0.1:9", api_key="test", http_async_client=httpx2.Client())
    with pytest.raises(ConfigurationError, match="both AsyncClients"):
        BaseProvider(
            base_url="http://127.0.0.1:9",
            api_key="test",
            http_client=httpx2.AsyncClient(),
            http_async_client=httpx2.AsyncClient(),
        )
    with pytest.raises(ConfigurationError, match="transport: fast cannot use"):
        BaseProvider(base_url="http://127.0.0.1:9", api_key="test", http_client=httpx2.Client(), transport="fast")


def test_bypassed_client_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with raw_server(hello) as server:
        ask(settings(server.url, http_client=httpx2.AsyncClient()))
    (record,) = [record for record in caplog.records if record.name == "modelmesh.transport"]
    assert record.levelno == logging.WARNING
    assert "the requests of threads to openai.llm.v1 do not use the http_client" in record.getMessage()


# -- the setting -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["aiohttp", "FAST", "", 1, True])
def test_unknown_transport_is_an_error(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="transport must be fast or httpx2"):
        modelmesh.create(config=settings("http://127.0.0.1:9", transport=value))


def test_fast_without_httptools_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "is_fast_installed", lambda: False)
    with pytest.raises(ConfigurationError, match=r"pip install 'modelmesh-cdk\[fast\]'"):
        modelmesh.create(config=settings("http://127.0.0.1:9", transport="fast"))
    assert selection.select_transport(None, None) == "httpx2"


def test_fast_behind_a_proxy_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://us:pw@proxy.test:3128")
    with pytest.raises(ConfigurationError, match="does not support proxies") as caught:
        modelmesh.create(config=settings("https://api.example.com", transport="fast"))
    assert "HTTPS_PROXY names the proxy proxy.test" in str(caught.value)
    assert "pw@" not in str(caught.value)


def test_default_behind_a_proxy_is_httpx2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    provider = BaseProvider(base_url="https://api.example.com", api_key="test")
    assert provider._connections.kind == "httpx2"
    assert BaseProvider(base_url="http://127.0.0.1:9", api_key="test")._connections.kind == "fast"


@pytest.mark.parametrize("value", ["fast", "httpx2"])
def test_environment_sets_the_default_transport(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELMESH_TRANSPORT", value)
    assert BaseProvider(base_url="http://127.0.0.1:9", api_key="test")._connections.kind == value
    other = {"fast": "httpx2", "httpx2": "fast"}[value]
    assert BaseProvider(base_url="http://127.0.0.1:9", api_key="test", transport=other)._connections.kind == other


def test_environment_with_an_unknown_transport_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELMESH_TRANSPORT", "curl")
    with pytest.raises(ConfigurationError, match="MODELMESH_TRANSPORT must be fast or httpx2, not 'curl'"):
        BaseProvider(base_url="http://127.0.0.1:9", api_key="test")


@pytest.mark.parametrize("in_task", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("kind", ["fast", "httpx2"])
def test_transport_of_the_setting_serves(kind: str, in_task: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # The other transport would fail to import.
    transports = "modelmesh_cdk.transport."
    other = {"fast": ["httpcore2_transport", "httpcore2_async_transport"], "httpx2": ["http1"]}[kind]
    for name in [name for name in sys.modules if name.startswith(tuple(transports + one for one in other))]:
        monkeypatch.delitem(sys.modules, name)
    for one in other:
        monkeypatch.setitem(sys.modules, transports + one, None)
    with raw_server(hello) as server:
        config = settings(server.url, transport=kind)
        reply = asyncio.run(aask(config)) if in_task else ask(config)
    assert reply.choices[0].message.content == "hello"

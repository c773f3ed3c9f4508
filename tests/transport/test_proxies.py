"""Proxies of the environment, and where a key may go in clear text."""

from __future__ import annotations

import asyncio
import base64
import logging
from typing import Any

import pytest
from raw_server import answer_to, raw_server

import modelmesh
from modelmesh.errors import ConfigurationError, ModelMeshError
from modelmesh_cdk.transport import proxies

HELLO: dict[str, Any] = {"model": "chat-completion", "messages": [{"role": "user", "content": "Hi"}]}


def settings(url: str, **more: Any) -> dict[str, Any]:
    entry = {"connector": "openai.llm.v1", "api_key": "test-key", "base_url": url, "models": ["m"], **more}
    return {"providers": {"a": entry}, "pools": {"chat-completion": {"retry": {"max_attempts": 0}}}}


def ask(config: dict[str, Any], *, in_task: bool) -> Any:
    async def asking() -> Any:
        async with modelmesh.create_async(config=config) as client:
            return await client.chat.completions.create(**HELLO)

    if in_task:
        return asyncio.run(asking())
    with modelmesh.create(config=config) as client:
        return client.chat.completions.create(**HELLO)


@pytest.mark.parametrize("in_task", [False, True])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("variable", ["{}_PROXY", "{}_proxy", "ALL_PROXY"])
def test_credentials_of_a_proxy_are_sent_to_it(
    scheme: str, variable: str, in_task: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    caplog.set_level(logging.INFO, "modelmesh.transport")
    proxies._logged.clear()
    with raw_server(lambda _, __: refusal) as proxy:
        name = variable.format(scheme.upper() if "PROXY" in variable else scheme)
        monkeypatch.setenv(name, f"http://us%40er:p%3Aw@127.0.0.1:{proxy.port}")
        for _ in range(2):
            with pytest.raises(ModelMeshError) as caught:
                ask(settings(f"{scheme}://api.example.com"), in_task=in_task)
    expected = b"proxy-authorization: basic " + base64.b64encode(b"us@er:p:w").lower()
    assert all(expected in request.lower() for request in proxy.requests)
    assert proxy.requests[0].startswith(b"CONNECT api.example.com:443" if scheme == "https" else b"POST http://api.example.com/")
    assert "p:w" not in str(caught.value)
    (logged,) = [record.getMessage() for record in caplog.records if record.name == "modelmesh.transport"]
    assert logged == f"requests to api.example.com go through the proxy http://127.0.0.1:{proxy.port} (from {name})"


@pytest.mark.parametrize("in_task", [False, True])
def test_plain_http_goes_through_a_proxy(in_task: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(lambda _, request: answer_to(request, "right")) as proxy:
        monkeypatch.setenv("http_proxy", f"127.0.0.1:{proxy.port}")
        answer = ask(settings("http://api.example.com"), in_task=in_task)
    assert answer.choices[0].message.content == "right"


@pytest.mark.parametrize(
    "written", ["::", "ftp://x", "http://x:99999", "http://", "http://x:port", "socks5://127.0.0.1:1080", "http://x:0", "http://a b",
                f"http://{'a' * 70}.example", "http://user:secret@:80", "x\x00y"],
)  # fmt: skip
def test_invalid_proxy_error_names_its_variable(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxies, "getproxies", lambda: {"https": written})
    monkeypatch.setenv("HTTPS_PROXY", "set")
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY") as caught:
        modelmesh.create(config=settings("https://api.example.com"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost:1", "[::1]:1", "a.localhost", "127.9.9.9"])
def test_key_over_http_to_loopback_is_accepted(host: str) -> None:
    modelmesh.create(config=settings(f"http://{host}")).close()


FAR = ["api.example.com", "10.0.0.5", "192.168.1.7:8000", "[2001:db8::1]", "gpu-box:8000", "localhost.example.com", "0.0.0.0"]


@pytest.mark.parametrize("host", FAR)
def test_key_over_http_to_another_host_raises(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="in clear text") as caught:
        modelmesh.create(config=settings(f"http://{host}"))
    assert "test-key" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="in clear text"):
        modelmesh.create(
            config=settings(f"http://{host}", api_key="", headers={"Authorization": "Bearer x"}, connector="vllm.local.v1")
        )
    modelmesh.create(config=settings(f"http://{host}", allow_http=True)).close()
    monkeypatch.setenv("MODELMESH_ALLOW_HTTP", "1")
    modelmesh.create(config=settings(f"http://{host}")).close()


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_allow_http_is_true_or_false(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="allow_http"):
        modelmesh.create(config=settings("http://api.example.com", allow_http=value))


@pytest.mark.parametrize("in_task", [False, True])
def test_private_name_is_checked_by_its_address(in_task: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, list[str]] = {"far.test": ["203.0.113.7"]}
    monkeypatch.setattr("modelmesh_cdk.transport.deadlines.resolver.resolve", lambda host, *_: found.get(host, [host]))

    async def resolve(host: str, *_: Any) -> list[str]:
        return found.get(host, [host])

    monkeypatch.setattr("modelmesh_cdk.transport.deadlines.resolver.aresolve", resolve)
    with raw_server(lambda _, request: answer_to(request, "right")) as server:
        found["near.test"] = ["127.0.0.1"]
        answer = ask(settings(f"http://near.test:{server.port}"), in_task=in_task)
        assert answer.choices[0].message.content == "right"
        with pytest.raises(ModelMeshError, match=r"not sent over plain http:// to far.test \(203.0.113.7\)"):
            ask(settings(f"http://far.test:{server.port}"), in_task=in_task)


@pytest.mark.parametrize("name", ["Transfer-Encoding", "content-length", "Host", "Connection", "Upgrade"])
def test_transport_header_of_provider_raises(name: str) -> None:
    with pytest.raises(ConfigurationError, match="only the transport"):
        modelmesh.create(config=settings("https://api.example.com", headers={name: "x"}))

"""Connecting of threads: addresses in turns, the connection limit, loopback only, and TLS."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trustme
from raw_server import deadline, raw_server, read_request, whole

from modelmesh.contracts import FailureClass
from modelmesh_cdk.transport.connecting import interleave
from modelmesh_cdk.transport.http1 import dialing, tls
from modelmesh_cdk.transport.http1.transport import Http1Transport
from modelmesh_cdk.transport.interfaces import Deadline, TransportError


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Addresses of names, or an event that the system's resolver waits for."""
    known: dict[str, Any] = {}

    def resolve(host: Any, port: Any, *_rest: Any, **_more: Any) -> Any:
        said = known.get(host)
        if isinstance(said, threading.Event):
            said.wait(30)
        if not isinstance(said, list):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in said]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known


def get(url: str, limits: Deadline | None = None, *, loopback_only: bool = False) -> bytes:
    transport = Http1Transport(url, loopback_only=loopback_only)
    try:
        return b"".join(transport.send("GET", url, [], b"", limits or deadline()))
    finally:
        transport.close()


@pytest.fixture
def full_backlog() -> Iterator[int]:
    """Port of a socket that takes no more connections: attempts get no reply."""
    with socket.create_server(("127.0.0.2", 0), backlog=0) as server, contextlib.ExitStack() as stack:
        for _ in range(4):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def test_addresses_take_turns() -> None:
    assert interleave(["a:1", "a:2", "a:3", "b.1", "b.2"]) == ["a:1", "b.1", "a:2", "b.2", "a:3"]
    assert interleave(["b.1", "b.2", "b.3", "a:1"]) == ["b.1", "a:1", "b.2", "b.3"]
    assert interleave(["b.1"]) == ["b.1"]
    assert interleave([]) == []


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["127.0.0.9", "127.0.0.1"], ["::1", "127.0.0.1"], ["::1", "127.0.0.9", "127.0.0.1"]]
)
def test_next_address_is_tried_at_once_after_a_failure(
    addresses: list[str], names: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialing, "STAGGER_S", 1000.0)
    names["vendor.test"] = addresses
    with raw_server(lambda _number, _request: whole(b"hello")) as server:
        assert get(f"http://vendor.test:{server.port}") == b"hello"


def test_next_address_is_tried_while_the_first_is_silent(full_backlog: int, names: dict[str, Any]) -> None:
    names["vendor.test"] = ["127.0.0.2", "127.0.0.1"]

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(whole(b"hello"))
            read_request(connection)

    with socket.create_server(("127.0.0.1", full_backlog)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert get(f"http://vendor.test:{full_backlog}") == b"hello"
        thread.join(20)


def test_silent_addresses_exceed_the_connect_limit(full_backlog: int, names: dict[str, Any]) -> None:
    names["vendor.test"] = ["127.0.0.2"]
    with pytest.raises(TransportError, match="ConnectTimeout: timed out") as caught:
        get(f"http://vendor.test:{full_backlog}", deadline(connect=0.2))
    assert caught.value.failure is FailureClass.CONNECT


def test_slow_resolver_exceeds_the_connect_limit(names: dict[str, Any]) -> None:
    names["slow.test"] = threading.Event()
    with pytest.raises(TransportError, match=r"ConnectTimeout: the name slow.test was not resolved within the limit"):
        get("http://slow.test", deadline(connect=0.1))
    names["slow.test"].set()


def test_name_without_address_is_a_connect_failure(names: dict[str, Any]) -> None:
    with pytest.raises(TransportError, match="ConnectError: .*Name or service not known") as caught:
        get("http://nowhere.test")
    assert caught.value.failure is FailureClass.CONNECT
    names["empty.test"] = []
    with pytest.raises(TransportError, match="ConnectError: the host has no address"):
        get("http://empty.test")


def test_refused_connection_is_a_connect_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(TransportError, match=r"ConnectError: \[Errno \d+\] Connection refused") as caught:
        get(f"http://127.0.0.1:{port}")
    assert caught.value.failure is FailureClass.CONNECT


def test_sockets_of_lost_attempts_are_closed(full_backlog: int, names: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    class Counted(socket.socket):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            opened.append(self)

    opened: list[socket.socket] = []
    names["vendor.test"] = ["127.0.0.2", "::1", "127.0.0.1"]
    with raw_server(lambda _number, _request: whole(b"hello")) as server, monkeypatch.context() as patch:
        names["vendor.test"] = ["127.0.0.2", "127.0.0.1"]
        assert server
        patch.setattr(socket, "socket", Counted)
        with pytest.raises(TransportError):
            get(f"http://vendor.test:{full_backlog}", deadline(connect=0.5))
    assert len(opened) == 2
    assert [one.fileno() for one in opened] == [-1, -1]


def test_key_is_not_sent_to_another_machine_in_clear_text(names: dict[str, Any]) -> None:
    names["far.test"] = ["127.0.0.1", "203.0.113.7"]
    with pytest.raises(TransportError, match=r"not sent over plain http:// to far.test \(203.0.113.7\)") as caught:
        get("http://far.test", loopback_only=True)
    assert caught.value.failure is FailureClass.CONNECT
    with raw_server(lambda _number, _request: whole(b"hello")) as server:
        assert get(server.url, loopback_only=True) == b"hello"


def test_small_requests_are_not_delayed() -> None:
    with raw_server(lambda _number, _request: whole(b"")) as server:
        address = dialing.Address("http", "127.0.0.1", server.port, "", "/")
        with dialing.dial(address, time.monotonic() + 20, loopback_only=False) as connected:
            assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[trustme.CA]:
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    tls.tls_context.cache_clear()
    yield made
    tls.tls_context.cache_clear()


def server_context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def test_tls_with_the_certificate_file_of_the_environment(authority: trustme.CA) -> None:
    with raw_server(lambda _number, _request: whole(b"hello"), server_context(authority, "127.0.0.1")) as server:
        transport = Http1Transport(server.url)
        for _ in range(2):
            assert b"".join(transport.send("GET", server.url, [], b"", deadline())) == b"hello"
        transport.close()
        assert server.connections == 1


def test_tls_offers_the_name_and_http_1_1(authority: trustme.CA, names: dict[str, Any]) -> None:
    context, seen = server_context(authority, "vendor.test"), []
    context.sni_callback = lambda _connection, name, _context: seen.append(name)
    names["vendor.test"] = ["127.0.0.1"]
    with raw_server(lambda _number, _request: whole(b"hello"), context) as server:
        transport = Http1Transport(server.url)
        address = dialing.Address("https", "vendor.test", server.port, "", "/")
        connected: Any = dialing.dial(address, time.monotonic() + 20, loopback_only=False)
        assert connected.selected_alpn_protocol() == "http/1.1"
        connected.close()
        transport.close()
    assert seen == ["vendor.test"]


@pytest.mark.parametrize("name", ["127.0.0.2", "other.test"])
def test_certificate_of_another_name_is_a_connect_failure(authority: trustme.CA, name: str) -> None:
    with raw_server(lambda _number, _request: whole(b"hello"), server_context(authority, name)) as server:
        with pytest.raises(TransportError, match="ConnectError: .*CERTIFICATE_VERIFY_FAILED") as caught:
            get(server.url)
        assert caught.value.failure is FailureClass.CONNECT
        assert server.requests == []


def test_unknown_authority_is_a_connect_failure(authority: trustme.CA) -> None:
    assert authority
    with raw_server(lambda _number, _request: whole(b"hello"), server_context(trustme.CA(), "127.0.0.1")) as server:
        with pytest.raises(TransportError, match="ConnectError: .*CERTIFICATE_VERIFY_FAILED"):
            get(server.url)
        assert server.requests == []


def test_silent_handshake_exceeds_the_connect_limit(authority: trustme.CA) -> None:
    assert authority
    with socket.create_server(("127.0.0.1", 0)) as server:
        with pytest.raises(TransportError, match="ConnectTimeout: timed out"):
            get(f"https://127.0.0.1:{server.getsockname()[1]}", deadline(connect=0.2))


def test_default_context_trusts_what_httpx2_trusts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    tls.tls_context.cache_clear()
    ours, other = tls.tls_context(), httpx2.create_ssl_context()
    tls.tls_context.cache_clear()
    assert ours.cert_store_stats() == other.cert_store_stats()
    assert (ours.verify_mode, ours.check_hostname, ours.verify_flags) == (
        other.verify_mode,
        other.check_hostname,
        other.verify_flags,
    )


def test_certificate_folder_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    tls.tls_context.cache_clear()
    assert tls.tls_context().cert_store_stats()["x509"] == 0
    tls.tls_context.cache_clear()

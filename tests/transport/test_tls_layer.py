"""TLS without I/O: content, and received bytes that are not read yet."""

from __future__ import annotations

import ssl

import pytest
import trustme

from modelmesh_cdk.transport.http1.tls_layer import TlsLayer


class ServerSide:
    """The other end, without I/O as well."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def receive(self, data: bytes) -> bytes:
        """Continue the handshake and return the answer."""
        self.incoming.write(data)
        try:
            self.object.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()

    def send(self, data: bytes) -> bytes:
        """Return the encrypted bytes."""
        self.object.write(data)
        return self.outgoing.read()


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def ends(request: pytest.FixtureRequest) -> tuple[TlsLayer, ServerSide]:
    """Two ends whose handshake came one byte at a time."""
    authority, trusting = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(trusting)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = request.param
    authority.issue_cert("vendor.test").configure_cert(context)
    client, server = TlsLayer(trusting, "vendor.test"), ServerSide(context)
    client.shake_hands()
    for _ in range(4):
        for byte in server.receive(client.take_output()):
            if client.is_established:
                assert client.decrypt(bytes([byte])) == b""
            else:
                client.shake_hands(bytes([byte]))
    assert client.is_established
    assert not client.has_unread
    return client, server


def test_beginning_of_a_record_counts_as_unread(ends: tuple[TlsLayer, ServerSide]) -> None:
    client, server = ends
    record = server.send(b"content")
    for place, byte in enumerate(record, 1):
        found = client.decrypt(bytes([byte]))
        assert found == (b"content" if place == len(record) else b"")
        assert client.has_unread == (place < len(record))


@pytest.mark.parametrize("step", [1, 3, 5, 7, 1000, 100_000])
def test_content_in_any_pieces_is_decrypted(step: int, ends: tuple[TlsLayer, ServerSide]) -> None:
    client, server = ends
    content = bytes(range(256)) * 200
    sent = b"".join(server.send(content[start : start + 10_000]) for start in range(0, len(content), 10_000))
    found = b"".join(client.decrypt(sent[start : start + step]) for start in range(0, len(sent), step))
    assert found == content
    assert not client.has_unread


def test_content_after_a_whole_record_counts_as_unread(ends: tuple[TlsLayer, ServerSide]) -> None:
    client, server = ends
    sent = server.send(b"first") + server.send(b"second")
    assert client.decrypt(sent[:-1]) == b"first"
    assert client.has_unread
    assert client.decrypt(sent[-1:]) == b"second"
    assert not client.has_unread


def test_end_of_tls_is_seen(ends: tuple[TlsLayer, ServerSide]) -> None:
    client, server = ends
    last = server.send(b"last")
    with pytest.raises(ssl.SSLError):
        server.object.unwrap()
    assert client.decrypt(last + server.outgoing.read()) == b"last"
    assert client.is_closed
    assert client.failure is None


def test_content_before_a_broken_record_is_delivered(ends: tuple[TlsLayer, ServerSide]) -> None:
    client, server = ends
    broken = bytearray(server.send(b"right") + server.send(b"wrong"))
    broken[-1] ^= 1
    assert client.decrypt(bytes(broken)) == b"right"
    assert client.is_closed
    assert client.failure is not None


def test_large_content_is_encrypted(ends: tuple[TlsLayer, ServerSide]) -> None:
    client, server = ends
    content = bytes(range(256)) * 1_000
    server.incoming.write(client.encrypt(content))
    found = b""
    while len(found) < len(content):
        found += server.object.read(65_536)
    assert found == content

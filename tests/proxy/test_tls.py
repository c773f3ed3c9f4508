"""TLS: the certificate of the configuration, and its renewal without a restart."""

from __future__ import annotations

import json
import socket
import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from waiting import wait_for

from modelmesh._engine.config.schema import ProxyTlsSection
from modelmesh.errors import ConfigurationError
from modelmesh.proxy import ProxyServer
from modelmesh_proxy.server.tls import build_context

CONFIG = {"providers": {"local": {"connector": "modelmesh.local.v1"}}, "pools": {"text-generation": {}}}


def _issue(authority: trustme.CA, folder: Path) -> None:
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))


def _serial(port: int, context: ssl.SSLContext) -> str:
    with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as one:
        one.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        assert b"200 OK" in one.recv(4096)
        found = one.getpeercert()
        assert found is not None
        return str(found["serialNumber"])


def test_a_renewed_certificate_is_used_after_a_reload(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context()
    authority.configure_trust(context)
    _issue(authority, tmp_path)
    path = tmp_path / "modelmesh.json"
    path.write_text(json.dumps(CONFIG | {"proxy": {"tls": {"certificate": str(tmp_path / "server.pem")}}}))
    with ProxyServer(path, port=0) as server:
        assert server.url.startswith("https://127.0.0.1:")
        port = server.get_status().port
        before = _serial(port, context)
        run = server._run
        assert run is not None
        assert run._server is not None
        assert run._reloader is not None
        _issue(authority, tmp_path)
        run._server.call_soon(run._reloader.request)
        wait_for(lambda: _serial(port, context) != before)
        mesh = run.app.services.mesh  # type: ignore[union-attr]
        (tmp_path / "server.pem").write_text("damaged")
        run._server.call_soon(run._reloader.request)
        wait_for(lambda: not run._reloader._requested.is_set() and not run._reloader._finishing)  # type: ignore[union-attr]
        assert run.app.services.mesh is mesh  # type: ignore[union-attr]
        assert _serial(port, context) != before


@pytest.mark.parametrize(
    ("key", "password", "message"),
    [
        (None, None, r"tls.key: .*chain.pem contains no private key in PEM format. Set proxy.tls.key, or --tls-key."),
        ("damaged.pem", None, r"tls.certificate: .*damaged.pem contains no certificate in PEM format"),
        ("nowhere.pem", None, r"tls.key: .*nowhere.pem cannot be used: No such file"),
        ("other.pem", None, r"tls.key: the private key in .*other.pem does not belong to .*chain.pem"),
        ("locked.pem", None, r"tls.key_password: the private key in .*locked.pem is encrypted. Set proxy.tls.key_password"),
        ("locked.pem", "wrong", r"tls.key_password: the password does not decrypt the private key in .*locked.pem"),
    ],
)
def test_a_key_that_cannot_be_used_names_its_file_and_the_reason(
    key: str | None, password: str | None, message: str, tmp_path: Path
) -> None:
    issued, other = (trustme.CA().issue_cert("127.0.0.1") for _ in range(2))
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "chain.pem"))
    other.private_key_pem.write_to_path(str(tmp_path / "other.pem"))
    private = load_pem_private_key(issued.private_key_pem.bytes(), None)
    locked = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"right"))
    (tmp_path / "locked.pem").write_bytes(locked)
    (tmp_path / "damaged.pem").write_text("damaged")
    path = None if key is None else str(tmp_path / key)
    chain = path if key == "damaged.pem" else str(tmp_path / "chain.pem")
    section = ProxyTlsSection(certificate=chain, key=path, key_password=password)
    with pytest.raises(ConfigurationError, match=message) as caught:
        build_context(section)
    assert password is None or password not in str(caught.value)

"""TLS: the certificate of the configuration, and its renewal without a restart."""

from __future__ import annotations

import json
import socket
import ssl
from pathlib import Path

import trustme
from proxy_process import wait_for

from modelmesh.proxy import ProxyServer

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

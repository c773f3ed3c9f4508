"""The raw server, both transports, and a certificate that they trust."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

sys.path.insert(0, str(Path(__file__).resolve().parent))

from modelmesh_cdk.transport import pools
from modelmesh_cdk.transport.http1.tls import tls_context
from modelmesh_cdk.transport.selection import FAST, HTTPX2, VARIABLE


@pytest.fixture(params=[FAST, HTTPX2])
def each_transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test over each transport."""
    monkeypatch.setenv(VARIABLE, request.param)


@pytest.fixture
def over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    """Server side of a certificate for 127.0.0.1. ``SSL_CERT_FILE`` names its authority."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "cert.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem")
    for cached in (tls_context, pools._tls):
        cached.cache_clear()
    yield context
    for cached in (tls_context, pools._tls):
        cached.cache_clear()

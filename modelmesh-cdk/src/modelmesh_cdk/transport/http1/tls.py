"""TLS of the client: the system's trust store, or that of ``SSL_CERT_FILE`` and ``SSL_CERT_DIR``, and HTTP/1.1 only.

The same certificates are trusted as over httpx2, whose import would take most of the time before the first request.
"""

from __future__ import annotations

import os
import re
import ssl
import sys
from functools import cache
from pathlib import Path

_CA_FILES = (
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/ca-bundle.pem",
)
_HASHED_NAME = re.compile(r"[0-9a-fA-F]{8}\.\d")


@cache
def tls_context() -> ssl.SSLContext:
    """Return the context of every connection of this process."""
    context = _trusting_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _trusting_context() -> ssl.SSLContext:
    if file := os.environ.get("SSL_CERT_FILE"):
        return ssl.create_default_context(cafile=file)
    if folder := os.environ.get("SSL_CERT_DIR"):
        return ssl.create_default_context(capath=folder)
    if sys.platform in {"win32", "darwin"}:
        import truststore  # noqa: PLC0415 - only there does it differ from OpenSSL's own store

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    known = ssl.get_default_verify_paths()
    file = known.openssl_cafile if Path(known.openssl_cafile).is_file() else None
    folder = known.openssl_capath if Path(known.openssl_capath).is_dir() else None
    if folder and not file and not any(_HASHED_NAME.fullmatch(entry.name) for entry in Path(folder).iterdir()):
        folder = None
    if not file and not folder:
        file = next((candidate for candidate in _CA_FILES if Path(candidate).is_file()), None)
    if file or folder:
        context.load_verify_locations(file, folder)
    return context

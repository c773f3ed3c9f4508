"""TLS of the server: certificate, key and the authorities of client certificates."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from modelmesh.errors import ConfigurationError

if TYPE_CHECKING:
    from modelmesh._engine.config.schema import ProxyTlsSection


def build_context(section: ProxyTlsSection) -> ssl.SSLContext:
    """Build the TLS context of a server.

    Raises:
        ConfigurationError: A file is missing or cannot be used.
    """
    if not section.certificate:
        message = "proxy.tls.certificate is missing. Set it, or --tls-certificate, to the path of a PEM file."
        raise ConfigurationError(message, where="proxy.tls.certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    load_certificate(context, section)
    if section.client_authorities:
        try:
            context.load_verify_locations(section.client_authorities)
        except (OSError, ssl.SSLError) as error:
            raise _unusable("client_authorities", section.client_authorities, error) from None
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def load_certificate(context: ssl.SSLContext, section: ProxyTlsSection) -> None:
    """Load the certificate and its key. New connections use them.

    Raises:
        ConfigurationError: A file is missing or cannot be used.
    """
    password = None if section.key_password is None else _text(section.key_password)
    try:
        context.load_cert_chain(str(section.certificate), section.key, password=lambda: password or "")
    except (OSError, ssl.SSLError) as error:
        key = section.key if isinstance(error, OSError) and section.key and error.filename == section.key else None
        raise _unusable("key" if key else "certificate", key or str(section.certificate), error) from None


def _text(password: Any) -> str:
    reveal = getattr(password, "reveal", None)
    return str(reveal() if reveal is not None else password)


def _unusable(key: str, path: str, error: OSError) -> ConfigurationError:
    why = error.strerror or getattr(error, "reason", None) or str(error)
    message = f"proxy.tls.{key}: {path} cannot be used: {why}. Give the path of a readable PEM file."
    return ConfigurationError(message, where=f"proxy.tls.{key}")

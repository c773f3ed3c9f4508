"""TLS of the server: certificate, key and the authorities of client certificates."""

from __future__ import annotations

import ssl
from pathlib import Path
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
    certificate, key = str(section.certificate), section.key
    password = None if section.key_password is None else _text(section.key_password)
    for name, path in (("certificate", certificate), ("key", key or certificate)):
        try:
            Path(path).open("rb").close()
        except OSError as error:
            raise _unusable(name, path, error) from None
    asked: list[bool] = []

    def answer() -> str:
        asked.append(True)
        return password or ""

    try:
        context.load_cert_chain(certificate, key, password=answer)
    except (OSError, ssl.SSLError) as error:
        raise _rejected(section, error, is_encrypted=bool(asked)) from None


def _text(password: Any) -> str:
    reveal = getattr(password, "reveal", None)
    return str(reveal() if reveal is not None else password)


def _rejected(section: ProxyTlsSection, error: OSError, *, is_encrypted: bool) -> ConfigurationError:
    """Return the error of two readable files that OpenSSL does not accept."""
    certificate, key = str(section.certificate), section.key or str(section.certificate)
    if is_encrypted and section.key_password is None:
        where, message = "key_password", f"the private key in {key} is encrypted. Set proxy.tls.key_password to its password."
    elif is_encrypted:
        where, message = "key_password", f"the password does not decrypt the private key in {key}. Set the password of that key."
    elif b"CERTIFICATE-----" not in Path(certificate).read_bytes():
        where, message = (
            "certificate",
            f"{certificate} contains no certificate in PEM format. Give the path of the certificate chain.",
        )
    elif getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
        where, message = "key", f"the private key in {key} does not belong to {certificate}. Give the key of that certificate."
    elif b"PRIVATE KEY-----" not in Path(key).read_bytes():
        missing = "Set proxy.tls.key, or --tls-key." if section.key is None else "Give the path of the private key."
        where, message = "key", f"{key} contains no private key in PEM format. {missing}"
    else:
        return _unusable("certificate", certificate, error)
    return ConfigurationError(f"proxy.tls.{where}: {message}", where=f"proxy.tls.{where}")


def _unusable(key: str, path: str, error: OSError) -> ConfigurationError:
    why = error.strerror or getattr(error, "reason", None) or str(error)
    message = f"proxy.tls.{key}: {path} cannot be used: {why}. Give the path of a readable PEM file."
    return ConfigurationError(message, where=f"proxy.tls.{key}")

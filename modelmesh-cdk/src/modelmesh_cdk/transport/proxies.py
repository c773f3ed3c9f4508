"""Proxies of the environment. ``~/.netrc`` is never read."""

from __future__ import annotations

import ipaddress
import logging
import os
import sys
from urllib.parse import unquote, urlsplit

from attrs import field, frozen

from modelmesh.errors import ConfigurationError

_log = logging.getLogger("modelmesh.transport")
_logged: set[tuple[str, str]] = set()
_SCHEMES = ("http", "https")
_SPECIAL = (".test", ".example", ".invalid")


@frozen
class Proxy:
    """A proxy.

    Attributes:
        url: Address without credentials.
        auth: User name and password, ``None`` without them.
        variable: Environment variable that sets the proxy.
    """

    url: str
    auth: tuple[str, str] | None = field(default=None, repr=False)
    variable: str = ""

    @property
    def host(self) -> str:
        """Host of the proxy."""
        return urlsplit(self.url).hostname or ""


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, by its name or address."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def may_be_loopback(host: str) -> bool:
    """Return whether a host may be this machine. Names of RFC 6761 are not in public DNS, so only their address shows it."""
    return is_loopback(host) or host.rstrip(".").lower().endswith(_SPECIAL)


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy that the environment names for an address, ``None`` where it names none.

    Raises:
        ConfigurationError: The variable is not a proxy address. The message names the variable, without credentials.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxies = getproxies()
    if not proxies or is_loopback(host) or proxy_bypass(host):
        return None
    for name in (parts.scheme, "all"):
        if proxies.get(name):
            return _read(proxies[name].strip(), _variable(name))
    return None


def getproxies() -> dict[str, str]:
    """Return the proxies of the environment or the system. Without any, ``urllib.request`` is not imported, which is slow."""
    has_system_settings = sys.platform in ("darwin", "win32")
    if not has_system_settings and not any(name.lower().endswith("_proxy") for name in os.environ):
        return {}
    from urllib.request import getproxies as read  # noqa: PLC0415 - see above

    return read()


def proxy_bypass(host: str) -> bool:
    """Return whether the environment or the system excludes a host from the proxy."""
    from urllib.request import proxy_bypass as is_excluded  # noqa: PLC0415 - only with a proxy

    return bool(is_excluded(host))


def log_use(proxy: Proxy, url: str) -> None:
    """Log the use of a proxy, once for each pair of hosts."""
    host = urlsplit(url).hostname or ""
    if (proxy.url, host) not in _logged:
        _logged.add((proxy.url, host))
        _log.info("requests to %s go through the proxy %s (from %s)", host, proxy.url, proxy.variable)


def _variable(name: str) -> str:
    names = (f"{name}_proxy", f"{name}_PROXY", f"{name.upper()}_PROXY")
    return next((one for one in names if os.environ.get(one)), "the settings of the system")


def _read(written: str, variable: str) -> Proxy:
    whole = written if "://" in written else f"http://{written}"  # as curl reads it
    right = "write it like http://proxy.example.com:8080, or add the host to NO_PROXY"
    try:
        parts = urlsplit(whole)
        host, port = parts.hostname, parts.port
        if host:
            host.encode("idna")
    except (ValueError, UnicodeError):
        message = f"{variable} is not the address of a proxy; {right}"
        raise ConfigurationError(message) from None
    if parts.scheme not in _SCHEMES:
        message = (
            f"{variable} names a proxy of kind {parts.scheme[:20]!r}, and only http and https proxies are supported; {right}"
        )
        raise ConfigurationError(message)
    if not host or port == 0 or not written.isprintable() or " " in written:
        message = f"{variable} is not the address of a proxy; {right}"
        raise ConfigurationError(message)
    shown = f"[{host}]" if ":" in host else host
    auth = None
    if parts.username is not None or parts.password is not None:
        auth = unquote(parts.username or ""), unquote(parts.password or "")
    return Proxy(f"{parts.scheme}://{shown}:{port or (443 if parts.scheme == 'https' else 80)}", auth, variable)

"""Rules of new connections, common to all transports."""

from __future__ import annotations

from collections.abc import Sequence

from modelmesh_cdk.transport.proxies import is_loopback

STAGGER_S = 0.25
"""Delay before a connection attempt to the next address of a host (RFC 8305, section 5)."""
KEEPALIVE_S = 60.0
"""Seconds after which an unused connection is closed."""
UNRESOLVED = "the name {} was not resolved within the limit"


def refusal_of(host: str, addresses: Sequence[str]) -> str | None:
    """Return why a key must not be sent in clear text to these addresses, ``None`` if they belong to this machine.

    Args:
        host: Name or address in the URL.
        addresses: What the name was resolved to.
    """
    far = next((address for address in addresses if not is_loopback(address)), None)
    if far is None:
        return None
    where = host if host == far else f"{host} ({far})"
    return f"the API key is not sent over plain http:// to {where}. Use https://, or set allow_http: true."


def interleave(addresses: Sequence[str]) -> list[str]:
    """Return addresses with IPv6 and IPv4 in turns, beginning with the preferred family (RFC 8305, section 4)."""
    six = [address for address in addresses if ":" in address]
    four = [address for address in addresses if ":" not in address]
    first, second = (six, four) if addresses and ":" in addresses[0] else (four, six)
    both = [address for pair in zip(first, second, strict=False) for address in pair]
    common = len(both) // 2
    return both + first[common:] + second[common:]

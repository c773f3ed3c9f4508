"""API key and address of one account, and the rule that a key does not leave this machine in clear text."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from modelmesh.contracts import Secret
from modelmesh.contracts.headers import CREDENTIALS, unsendable
from modelmesh.errors import ConfigurationError

if TYPE_CHECKING:
    from modelmesh_cdk.provider.hooks import ProviderHooks
    from modelmesh_cdk.transport.proxies import Proxy

from modelmesh_cdk.transport.proxies import may_be_loopback

ALLOW_HTTP = "MODELMESH_ALLOW_HTTP"
"""Environment variable that allows keys over plain ``http://``, as the setting ``allow_http`` does for one provider."""


def check_headers(provider_id: str, headers: Mapping[str, str]) -> None:
    """Check the headers of the settings.

    Raises:
        ConfigurationError: A header cannot be sent.
    """
    for name, value in headers.items():
        if why := unsendable(value, name):
            message = f"the header {name!r} of the provider {provider_id} {why}; correct it under headers"
            raise ConfigurationError(message)


def find_api_key(provider: ProviderHooks) -> Secret | None:
    """Return the API key of the settings, else that of the environment variables.

    Raises:
        ConfigurationError: A required key is missing, or the key cannot be sent in a header.
    """
    given = provider.config.api_key
    names = [name for name in (provider.api_key_variable, *provider.other_key_variables) if name]
    found = [given.reveal()] if given is not None else [os.environ.get(name, "") for name in names]
    text = next(filter(None, (one.strip() for one in found)), "")  # a file with a key ends in a line break
    if why := unsendable(text):
        message = f"the API key of the provider {provider.id} {why}, so no header can contain it. Copy the key again"
        raise ConfigurationError(message)
    if text:
        return Secret(text)
    if provider.requires_key:
        how = f"set api_key, or the variable: export {names[0]}=…" if names else "set api_key"
        how += f" ({' or '.join(names[1:])} will do too)" if names[1:] else ""
        what = "was given an empty API key" if given is not None else "has no API key"
        message = f"the provider {provider.id} {what}; {how}"
        raise ConfigurationError(message)
    return None


def restrict_to_loopback(provider: ProviderHooks, proxy: Proxy | None) -> bool:
    """Return whether connections to other machines must be refused, because the key would travel in clear text.

    Raises:
        ConfigurationError: The configured address is on another machine.
    """
    config, root = provider.config, provider.api_root
    keyed = provider.api_key is not None or any(name.lower() in CREDENTIALS for name in config.headers)
    if not root.startswith("http://") or not keyed or config.allow_http or os.environ.get(ALLOW_HTTP, "") in ("1", "true"):
        return False
    host = proxy.host if proxy is not None else urlsplit(root).hostname or ""
    if not may_be_loopback(host):
        message = (
            f"the provider {provider.id} would send its API key in clear text: its base_url is http://{provider.show_address()}. "
            f"Use https://, or set allow_http: true (or {ALLOW_HTTP}=1) where you trust the network"
        )
        raise ConfigurationError(message)
    return True

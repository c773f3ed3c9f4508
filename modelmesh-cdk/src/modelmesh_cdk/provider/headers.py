"""Request headers: those of every request, built once, and those of one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelmesh.contracts import FailureClass
from modelmesh.contracts.headers import unsendable
from modelmesh_cdk.provider.provider_errors import bad_hook_result, provider_error
from modelmesh_cdk.version import __version__

if TYPE_CHECKING:
    from modelmesh_cdk.provider.hooks import ProviderHooks

USER_AGENT = f"modelmesh/{__version__}"

Headers = list[tuple[str, str]]


class RequestHeaders:
    """Request headers of one provider."""

    __slots__ = ("_fixed",)

    def __init__(self) -> None:
        self._fixed: Headers | None = None

    def fixed(self, provider: ProviderHooks) -> Headers:
        """Return the headers of every request: the connector's, then those of the settings.

        Raises:
            ProviderError: A header cannot be sent, or the hook did not return headers.
        """
        if self._fixed is None:
            self._fixed = _build(provider)
        return self._fixed

    def of_call(self, provider: ProviderHooks, extra: Mapping[str, str], *, stream: bool) -> Headers:
        """Return the headers of one call.

        Args:
            provider: Builds the fixed headers.
            extra: Headers of the caller, which replace others of the same name.
            stream: Whether the call asks for a stream.

        Raises:
            ProviderError: A header cannot be sent, or the hook did not return headers.
        """
        headers = self._fixed or self.fixed(provider)
        if stream:
            headers = [*headers[:-1], ("Accept", "text/event-stream")]
        return _with_extra(headers, extra) if extra else headers

    def of_operation(self, provider: ProviderHooks, extra: Mapping[str, str], *, content_type: str, accept: str) -> Headers:
        """Return the headers of a call other than a chat completion.

        Args:
            provider: Builds the fixed headers.
            extra: Headers of the caller, which replace others of the same name, except for the media type of a form.
            content_type: Media type of the body. Empty for a request without a body.
            accept: Media types of the reply.

        Raises:
            ProviderError: A header cannot be sent, or the hook did not return headers.
        """
        kept = [pair for pair in self.fixed(provider) if pair[0].lower() not in _OF_BODIES]
        made = [*kept, ("Content-Type", content_type), ("Accept", accept)] if content_type else [*kept, ("Accept", accept)]
        if content_type.startswith("multipart/"):  # only the form contains its boundary
            extra = {name: value for name, value in extra.items() if name.lower() != "content-type"}
        return _with_extra(made, extra) if extra else made


_OF_BODIES = ("content-type", "accept")


def _with_extra(headers: Headers, extra: Mapping[str, str]) -> Headers:
    own = {name.lower() for name in extra}
    return [pair for pair in headers if pair[0].lower() not in own] + _checked(extra)


def _build(provider: ProviderHooks) -> Headers:
    vendor: Any = provider._build_headers()  # noqa: SLF001 - a hook
    if not isinstance(vendor, Mapping) or not all(isinstance(part, str) for pair in vendor.items() for part in pair):
        right = "a dict of str to str; a Secret is sent by its reveal()"
        raise bad_hook_result(provider, "_build_headers", vendor, right, written=False)
    built = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate", **vendor}
    own = {name.lower() for name in provider.config.headers}
    kept = [(name, value) for name, value in built.items() if name.lower() not in own]
    for name, value in kept:
        if why := unsendable(value, name):
            message = f"the header {name!r} {why}. Correct the settings of the provider. Nothing was sent."
            raise provider_error(FailureClass.CONNECT, message)
    return [*kept, *provider.config.headers.items(), ("Accept", "application/json")]


def _checked(headers: Mapping[str, str]) -> Headers:
    for name, value in headers.items():
        if why := unsendable(str(value), str(name)):
            message = f"the extra header {name!r} {why}. Nothing was sent."
            raise provider_error(FailureClass.CALLER, message, status=400)
    return [(str(name), str(value)) for name, value in headers.items()]

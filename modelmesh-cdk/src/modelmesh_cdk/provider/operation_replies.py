"""Decoding of replies other than chat completions and embeddings: JSON, text or bytes by the operation's row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelmesh.contracts.operations import OperationScope, ReplyKind
from modelmesh.contracts.provider import Answer
from modelmesh_cdk.provider.error_bodies import is_page
from modelmesh_cdk.provider.error_responses import has_error, invalid_response
from modelmesh_cdk.provider.operation_codec import DEFAULT_CODEC, codec_of
from modelmesh_cdk.provider.operation_requests import asks_for_text
from modelmesh_cdk.provider.provider_errors import bad_hook_result, failed_midway
from modelmesh_cdk.wire import json_codec

if TYPE_CHECKING:
    from modelmesh.errors import ProviderError
    from modelmesh_cdk.provider.hooks import ProviderHooks
    from modelmesh_cdk.wire.request import WireRequest

# ruff: noqa: SLF001 - hooks are protected methods of the provider

Headers = Mapping[str, str]

_JSON = "application/json"
FILE_CONTENT = "files.content"
_OK = 200
_TYPES: Mapping[ReplyKind, tuple[type[Any], str]] = {
    ReplyKind.BYTES: (bytes, "the content as bytes"),
    ReplyKind.JSON: (dict, "the answer as a dict in OpenAI's format"),
}


def decode_reply(provider: ProviderHooks, request: WireRequest, headers: Headers, raw: bytes) -> Any:
    """Return the decoded JSON object of a successful reply, or its text or bytes where the operation has no JSON.

    Raises:
        ProviderError: The reply is an error, a page, empty or of another type.
    """
    operation = request.call.operation
    reply = codec_of(provider, request).reply or operation.reply
    if reply is ReplyKind.BYTES:
        check_content(provider, request, headers, raw)
        return raw
    if asks_for_text(request) and (codec_of(provider, request).reply is None or media_type(headers) != _JSON):
        return _text_of(provider, request, headers, raw)
    try:
        data: Any = json_codec.decode(raw)
    except ValueError:
        raise _invalid(provider, headers, "its body is not JSON") from None
    if not isinstance(data, dict):
        raise _invalid(provider, headers, "its body is not a JSON object")
    if is_error(request, data):
        raise provider._map_embedded_error(data, headers)
    return data


def build_answer(provider: ProviderHooks, request: WireRequest, headers: Headers, data: Any) -> Answer:
    """Return the answer in the decoded reply.

    Raises:
        ProviderError: The reply lacks a part that every reply of the operation has.
    """
    codec, operation = codec_of(provider, request), request.call.operation
    parsed: Any = codec.parse_response(provider, request, data)
    kind, right = (str, "the transcription as text") if asks_for_text(request) else _TYPES[operation.reply]
    if not isinstance(parsed, kind):
        raise bad_hook_result(provider, "parse_response", parsed, right)
    if isinstance(parsed, dict):
        broken = failed_midway(parsed, headers)
        if broken is not None:
            raise broken
        missing = next((key for key in operation.required_keys if parsed.get(key) is None), None)
        if missing is not None and codec is DEFAULT_CODEC:
            raise _invalid(provider, headers, f"its body has no {missing!r}")
    if isinstance(parsed, bytes | str) and codec.reply is ReplyKind.JSON:
        headers = _headers_of_content(request, headers, parsed)
    return Answer(parsed, headers, request.adapted, provider.reported_rate_limits(headers))


def _headers_of_content(request: WireRequest, headers: Headers, content: bytes | str) -> Headers:
    """Return the headers of content that the vendor sent in JSON, with the media type of the content."""
    kept = {name: value for name, value in headers.items() if name not in ("content-type", "content-length", "content-encoding")}
    if isinstance(content, bytes):
        media = next((media for start, media in _MEDIA if content.startswith(start)), "application/octet-stream")
    else:
        media = "text/vtt" if request.payload.get("response_format") == "vtt" else "text/plain; charset=utf-8"
    return {**kept, "content-type": media}


_MEDIA = (
    (b"RIFF", "audio/wav"),
    (b"ID3", "audio/mpeg"),
    (b"\xff", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
)
"""How audio begins, and its media type. PCM has no beginning of its own."""


def is_error(request: WireRequest, data: Mapping[str, Any]) -> bool:
    """Return whether a decoded reply is an error body. A resource of an account may contain the error of its work."""
    is_resource = request.call.operation.scope is OperationScope.ACCOUNT and isinstance(data.get("id"), str)
    return has_error(data) and not is_resource


def check_content(provider: ProviderHooks, request: WireRequest, headers: Headers, start: bytes) -> None:
    """Check that a body is the content that an operation returns, rather than an error, a page or nothing.

    Args:
        provider: Maps errors.
        request: The request.
        headers: Response headers.
        start: The body, or the first piece of a stream.

    Raises:
        ProviderError: The body is something else.
    """
    media = media_type(headers)
    is_file = request.call.operation.name == FILE_CONTENT
    error = _error_in(provider, headers, start, only=is_file)
    if error is not None:
        raise error
    if is_file:
        return  # a file may be empty and have any media type
    if not start:
        raise _invalid(provider, headers, "its body is empty")
    if is_page(media, start):
        raise _invalid(provider, headers, "its body is a page of HTML or XML, not audio")
    if media == "application/json" or media.startswith("text/"):
        raise _invalid(provider, headers, f"its body is {media}, not audio")


def _error_in(provider: ProviderHooks, headers: Headers, raw: bytes, *, only: bool) -> ProviderError | None:
    """Return the error of a body that is a JSON error.

    Args:
        provider: Maps errors.
        headers: Response headers.
        raw: The body.
        only: Whether the object must contain nothing but the error.
    """
    if raw[:64].lstrip()[:1] != b"{" or (only and media_type(headers) != "application/json"):
        return None
    try:
        data = json_codec.decode(raw)
    except ValueError:
        return None
    if isinstance(data, dict) and has_error(data) and (not only or set(data) == {"error"}):
        return provider._map_embedded_error(data, headers)
    return None


def _text_of(provider: ProviderHooks, request: WireRequest, headers: Headers, raw: bytes) -> Any:
    """Return a transcription as text. Some servers put it into JSON."""
    error = _error_in(provider, headers, raw, only=False)
    if error is not None:
        raise error
    media = media_type(headers)
    if is_page(media, raw):
        raise _invalid(provider, headers, "its body is a page of HTML or XML, not a transcription")
    if media.startswith(("audio/", "image/", "video/")) or media == "text/event-stream":
        raise _invalid(provider, headers, f"its body is {media}, not a transcription")
    try:
        text = raw.decode()
        data = json_codec.decode(raw) if media == "application/json" else text
    except ValueError:
        raise _invalid(provider, headers, "its body is not text in UTF-8") from None
    if isinstance(data, dict) and request.payload["response_format"] == "text":
        data = data.get("text")
    if not isinstance(data, str):
        raise _invalid(provider, headers, "its body is JSON, not a transcription as text")
    return data


def media_type(headers: Headers) -> str:
    """Return the media type of a response in lower case, without parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _invalid(provider: ProviderHooks, headers: Headers, why: str) -> ProviderError:
    return invalid_response(provider, why, _OK, headers)

"""Encoding of requests other than chat completions and embeddings: address, headers and body by the operation's row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from modelmesh.contracts import FailureClass
from modelmesh.contracts.operations import BodyKind, Operation, OperationScope, ReplyKind, StreamKind
from modelmesh_cdk.provider.form_fields import form_fields, query_fields
from modelmesh_cdk.provider.operation_codec import OperationCodec, codec_of
from modelmesh_cdk.provider.provider_errors import bad_hook_result, provider_error
from modelmesh_cdk.wire import json_codec

if TYPE_CHECKING:
    from modelmesh_cdk.provider.hooks import ProviderHooks
    from modelmesh_cdk.transport.interfaces import RequestBody
    from modelmesh_cdk.wire.request import WireRequest

_JSON = "application/json"
_NAMES = {BodyKind.JSON: "JSON", BodyKind.MULTIPART: "a form", BodyKind.NONE: "a query"}


def build_address(provider: ProviderHooks, request: WireRequest) -> Any:
    """Return the address of a request. The HTTP method of the request becomes that of the operation's codec."""
    codec = codec_of(provider, request)
    if codec.method is not None:
        request.method = codec.method
    return codec.endpoint(provider, request)


def build_body(provider: ProviderHooks, request: WireRequest) -> tuple[str, bytes | RequestBody, str]:
    """Return the query, the body and its media type. The media type of a request without a body is empty.

    Raises:
        ProviderError: The body cannot be written, or a hook returned an unusable value. Nothing was sent.
    """
    codec, operation = codec_of(provider, request), request.call.operation
    payload: Any = codec.build_payload(provider, request)
    if hasattr(payload, "content_type") and hasattr(payload, "size") and hasattr(payload, "__iter__"):
        return "", payload, str(payload.content_type)
    if not isinstance(payload, dict):
        hook = "_build_request_payload" if type(codec) is OperationCodec else "build_payload"
        raise bad_hook_result(provider, hook, payload, "the body as a dict", written=False)
    try:
        return _write(payload, codec, operation)
    except (ValueError, TypeError) as error:
        message = f"the request cannot be written as {_NAMES[codec.body or operation.body]}: {error}. Nothing was sent."
        raise provider_error(FailureClass.CALLER, message, status=400) from None


def _write(payload: Mapping[str, Any], codec: OperationCodec, operation: Operation) -> tuple[str, bytes | RequestBody, str]:
    kind = codec.body or operation.body
    if kind is BodyKind.MULTIPART:
        from modelmesh_cdk.wire.multipart import MultipartBody  # noqa: PLC0415 - only for files

        form = MultipartBody(form_fields(payload, codec.list_suffix))
        return "", form, form.content_type
    if kind is BodyKind.NONE:
        return urlencode(query_fields(payload)), b"", ""
    if not payload and operation.scope is OperationScope.ACCOUNT:
        return "", b"", ""  # as the openai package sends batches.cancel
    return "", json_codec.encode(payload), _JSON


def accepted_media(provider: ProviderHooks, request: WireRequest) -> str:
    """Return the value of ``Accept``. A reply that is not JSON may have any media type."""
    if request.call.stream_kind not in (None, StreamKind.BYTES):
        return "text/event-stream"
    reply = codec_of(provider, request).reply or request.call.operation.reply
    return "*/*" if reply is ReplyKind.BYTES or asks_for_text(request) else _JSON


def asks_for_text(request: WireRequest) -> bool:
    """Return whether a transcription is requested as text or subtitles, which are not JSON."""
    return request.call.operation.name in _TRANSCRIBES and request.payload.get("response_format") in TEXT_FORMATS


TEXT_FORMATS = ("text", "srt", "vtt")
_TRANSCRIBES = ("audio.transcriptions", "audio.translations")

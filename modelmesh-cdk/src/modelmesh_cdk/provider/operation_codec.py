"""Codec of one operation: what a vendor does differently from OpenAI for that operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh.contracts.operations import COMPLETIONS, OPERATIONS

if TYPE_CHECKING:
    from modelmesh.contracts.operations import BodyKind, ReplyKind
    from modelmesh_cdk.provider import operation_paths, provider_errors
    from modelmesh_cdk.provider.hooks import ProviderHooks
    from modelmesh_cdk.wire.request import WireRequest
else:  # create() needs none of it
    operation_paths = LazyModule(globals(), "operation_paths", "modelmesh_cdk.provider.operation_paths")
    provider_errors = LazyModule(globals(), "provider_errors", "modelmesh_cdk.provider.provider_errors")

# ruff: noqa: SLF001 - hooks are protected methods of the provider


class OperationCodec:
    """Encoding and decoding of one operation. The defaults follow the operation's row of ``modelmesh.contracts.operations``.

    A connector derives a class, overrides what differs and names an instance in ``operation_codecs``. Chat completions and
    embeddings keep the hooks of the connector.

    Example:
        ::

            class AcmeSpeech(OperationCodec):
                def endpoint(self, provider, request):
                    return f"{provider.api_root}/voices/{request.voice}/speak"

            class AcmeProvider(OpenAICompatibleProvider):
                operation_codecs = {"audio.speech": AcmeSpeech()}

    Attributes:
        method: HTTP method. ``None`` for that of the operation.
        body: Encoding of the request body. ``None`` for that of the operation.
        reply: Kind of the vendor's reply. ``None`` for that of the operation. A vendor that returns audio in JSON has
            ``ReplyKind.JSON``, and :meth:`parse_response` returns the bytes.
        list_suffix: What follows the name of a list in a form. OpenAI writes ``timestamp_granularities[]``.
    """

    method: ClassVar[str | None] = None
    body: ClassVar[BodyKind | None] = None
    reply: ClassVar[ReplyKind | None] = None
    list_suffix: ClassVar[str] = "[]"

    def endpoint(self, provider: Any, request: WireRequest) -> str:
        """Return the address. The default fills the placeholders of the operation's path with arguments of the request."""
        return operation_paths.fill_placeholders(provider._endpoint(request), request)

    def build_payload(self, provider: Any, request: WireRequest) -> Any:
        """Return the body as a dict, or a ready body.

        A dict is written as JSON, as a multipart form or as a query, as the kind of the body requires. A ready body has
        ``size``, ``content_type`` and iteration over its bytes, such as ``modelmesh_cdk.wire.multipart.MultipartBody``.
        """
        return provider._build_request_payload(request)

    def parse_response(self, provider: Any, request: WireRequest, data: Any) -> Any:
        """Return the answer in OpenAI's format: a dict, ``bytes`` for audio, ``str`` for a transcription as text.

        Args:
            provider: The connector.
            request: The request.
            data: The decoded JSON object, or the body of a reply that is not JSON.
        """
        completes = request.call.operation.name == COMPLETIONS.name  # the choices of chat completions, with ``text``
        return provider._parse_response(data) if completes else data

    def stream_decoder(self, provider: Any, request: WireRequest) -> Any:
        """Return the decoder of one stream: an object with ``decode(event) -> list`` and a flag ``done``.

        The items have the kind of the call: dicts, dicts with a ``type``, or ``bytes``. The default reads OpenAI's events.
        ``None`` for a body that is the content itself, such as audio.
        """
        from modelmesh_cdk.provider.operation_streams import openai_decoder  # noqa: PLC0415 - only for streams

        return openai_decoder(provider, request)


class UnservedOperation(OperationCodec):
    """Codec of an operation that the vendor lacks, although it has models of the capability.

    A request fails over to another model before anything is sent.
    """

    def __init__(self, parameter: str, why: str) -> None:
        """Store the message.

        Args:
            parameter: The part of the request that the vendor cannot serve.
            why: Predicate of the sentence that ``parameter`` begins.
        """
        self._parameter, self._why = parameter, why

    def build_payload(self, provider: Any, request: WireRequest) -> Any:
        """Refuse the request.

        Raises:
            ProviderError: Always, with the failure class ``capability``.
        """
        del provider, request
        raise provider_errors.unsupported_parameter(self._parameter, self._why)


DEFAULT_CODEC = OperationCodec()


def codec_of(provider: ProviderHooks, request: WireRequest) -> OperationCodec:
    """Return the connector's codec for the operation of a request, else the default codec."""
    codecs: Mapping[str, OperationCodec] = provider.operation_codecs
    return codecs.get(request.call.operation.name, DEFAULT_CODEC)


def operations_under(*names: str) -> frozenset[str]:
    """Return the operations with these names and those of their resources: ``files`` stands for ``files.create`` and the rest."""
    return frozenset(row for row in OPERATIONS for name in names if row == name or row.startswith(f"{name}."))

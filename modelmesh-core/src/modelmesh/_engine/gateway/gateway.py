"""The request handler: one HTTP request in, one HTTP response out, for threads and for asyncio.

The handler opens no socket. Every failure becomes a response.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, Iterable
from random import getrandbits
from typing import TYPE_CHECKING, Any

from modelmesh._engine.foundation.json_memory import exceeds_memory
from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh._engine.gateway import json_codec
from modelmesh._engine.gateway.answer_responses import JSON, answer_content, answer_headers
from modelmesh._engine.gateway.calls import build_call, decode_json
from modelmesh._engine.gateway.dialects import Dialect, dialect_of, error_body
from modelmesh._engine.gateway.error_responses import error_headers, status_of
from modelmesh._engine.gateway.form_fields import payload_of
from modelmesh._engine.gateway.gateway_limits import GatewayLimits
from modelmesh._engine.gateway.messages import GatewayRequest, GatewayResponse, HttpError
from modelmesh._engine.gateway.model_list import list_models, retrieve_model
from modelmesh._engine.gateway.routes import Endpoint, Route, find_route
from modelmesh.contracts.call import NO_OPTIONS, Call, CallOptions
from modelmesh.contracts.operations import EMBEDDINGS, MESSAGES, BodyKind, StreamKind
from modelmesh.errors import ModelMeshError

if TYPE_CHECKING:
    from modelmesh._engine.gateway import google_requests as google
    from modelmesh._engine.gateway.multipart_body import MultipartReader
    from modelmesh._engine.mesh import MeshEngine
    from modelmesh._engine.routing.steps import Served
else:  # only for clients of Google
    google = LazyModule(globals(), "google", "modelmesh._engine.gateway.google_requests")

_log = logging.getLogger("modelmesh.gateway")


class Gateway:
    """The HTTP interfaces of OpenAI, Anthropic and Google over a mesh. Safe to share between threads and event loops."""

    def __init__(
        self,
        mesh: MeshEngine,
        *,
        options: CallOptions = NO_OPTIONS,
        limits: GatewayLimits | None = None,
        sdk_retries: bool = False,
    ) -> None:
        """Initialize a gateway.

        Args:
            mesh: The mesh. The gateway does not close it.
            options: Options of every request, which its headers, query and time limit extend.
            limits: Size limits.
            sdk_retries: Whether the response to a failure permits an SDK to retry by its own settings. By default it forbids
                that, because the mesh has retried already.
        """
        self._mesh, self._requests = mesh, mesh._requests  # noqa: SLF001 - the gateway is a client of the mesh
        self._options, self._limits, self._sdk_retries = options, limits or GatewayLimits(), sdk_retries

    def handle(self, request: GatewayRequest) -> GatewayResponse:
        """Serve a request in this thread. Returns a response for every failure."""
        request_id, reader = _request_id(request), None
        try:
            route = self._route(request)
            if isinstance(route.target, Endpoint):
                return self._own(route, request, b"" if route.target is not Endpoint.COUNT_TOKENS else self._read(request))
            if request.form is not None and route.target.body is BodyKind.MULTIPART:
                payload = payload_of(request.form())
            elif route.target.body is BodyKind.MULTIPART:
                reader = self._reader(request)
                for piece in _pieces(request.body):
                    reader.feed(piece)
                payload = payload_of(reader.finish(request.headers.get("content-length")))
            else:
                payload = decode_json(self._read(request)) if route.target.body is BodyKind.JSON else {}
            call = self._call(route, request, payload)
            served = self._requests.serve(call)
            return self._response(route, call, served, request_id)
        except Exception as error:  # noqa: BLE001 - every failure is a response
            return self._failed(request, error, request_id)
        finally:
            if reader is not None:  # the vendor has the files, or no attempt follows
                reader.remove_files()

    async def ahandle(self, request: GatewayRequest) -> GatewayResponse:
        """Serve a request in this task. Returns a response for every failure."""
        request_id, reader = _request_id(request), None
        try:
            route = self._route(request)
            if isinstance(route.target, Endpoint):
                return self._own(route, request, b"" if route.target is not Endpoint.COUNT_TOKENS else await self._aread(request))
            if request.form is not None and route.target.body is BodyKind.MULTIPART:
                payload = payload_of(request.form())
            elif route.target.body is BodyKind.MULTIPART:
                reader = self._reader(request)
                await _afeed(reader, request.body)
                payload = payload_of(reader.finish(request.headers.get("content-length")))
            else:
                payload = decode_json(await self._aread(request)) if route.target.body is BodyKind.JSON else {}
            call = self._call(route, request, payload)
            served = await self._requests.aserve(call)
            return self._response(route, call, served, request_id, asynchronous=True)
        except Exception as error:  # noqa: BLE001 - every failure is a response
            return self._failed(request, error, request_id)
        finally:
            if reader is not None:
                reader.remove_files()

    def _route(self, request: GatewayRequest) -> Route:
        limit = self._limits.header_bytes
        if limit is not None and sum(len(name) + len(value) for name, value in request.headers.items()) > limit:
            raise HttpError(431, f"The headers exceed {limit:,} bytes. Send fewer or shorter headers.", code="headers_too_large")
        if dialect_of(request) is Dialect.GOOGLE:
            return google.find_google_route(request)
        return find_route(request.method, request.path)

    def _call(self, route: Route, request: GatewayRequest, payload: dict[str, Any]) -> Call:
        if route.is_google:
            return google.google_call(route, request, payload, self._options)
        return build_call(route, request, payload, self._options)

    def _reader(self, request: GatewayRequest) -> MultipartReader:
        from modelmesh._engine.gateway.multipart_body import MultipartReader  # noqa: PLC0415 - only for uploads

        content_type = request.headers.get("content-type", "")
        if not content_type.lower().startswith("multipart/form-data"):
            kind = content_type.partition(";")[0][:100] or "no media type"
            raise HttpError(400, f"{request.path} accepts multipart/form-data, not {kind}. Send the file as a form field.")
        return MultipartReader(content_type, self._limits)

    def _read(self, request: GatewayRequest) -> bytes:
        body = request.body
        if not isinstance(body, bytes):
            whole = bytearray()
            for piece in _pieces(body):
                whole += piece
                self._check_size(len(whole))
            body = bytes(whole)
        self._check_size(len(body))
        self._check_memory(body)
        return body

    async def _aread(self, request: GatewayRequest) -> bytes:
        body = request.body
        if not isinstance(body, AsyncIterable):
            return self._read(request)
        whole = bytearray()
        async for piece in body:
            whole += piece
            self._check_size(len(whole))
        self._check_memory(bytes(whole))
        return bytes(whole)

    def _check_memory(self, body: bytes) -> None:
        """Refuse a body that takes seconds to decode and many times its size in memory."""
        if self._limits.json_bytes is not None and exceeds_memory(body):
            message = "The JSON body is made of too many small parts to be decoded. Send fewer items, or several requests."
            raise HttpError(413, message, code="request_too_large")

    def _check_size(self, size: int) -> None:
        limit = self._limits.json_bytes
        if limit is not None and size > limit:
            raise HttpError(413, f"The JSON body exceeds {limit:,} bytes. Send a smaller one.", code="request_too_large")

    def _own(self, route: Route, request: GatewayRequest, body: bytes) -> GatewayResponse:
        """Answer an endpoint that needs no vendor."""
        dialect = dialect_of(request)
        if route.target is Endpoint.COUNT_TOKENS and route.is_google:
            data: Any = google.google_token_count(decode_json(body))
        elif route.target is Endpoint.COUNT_TOKENS:
            from modelmesh._engine.gateway.token_counting import count_tokens  # noqa: PLC0415 - rarely used

            data = count_tokens(decode_json(body))
        elif route.target is Endpoint.LIST_MODELS:
            data = list_models(self._mesh, dialect, request.caller)
        else:
            data = retrieve_model(self._mesh, dict(route.arguments)["model"], dialect, request.caller)
        return GatewayResponse(200, _headers(JSON, _request_id(request)), json_codec.encode(data))

    def _response(
        self, route: Route, call: Call, served: Served, request_id: str, *, asynchronous: bool = False
    ) -> GatewayResponse:
        headers = answer_headers(served, request_id)
        if call.operation is MESSAGES:
            headers += _anthropic_id(headers)
        if not call.stream:
            content, kind = answer_content(served, call)
            if route.is_google and call.operation is EMBEDDINGS:
                content = json_codec.encode(google.google_embeddings(route, json_codec.decode(content)))
            headers.append(("content-type", kind))
            return GatewayResponse(200, headers, content)
        from modelmesh._engine.gateway import event_encoding, stream_bodies  # noqa: PLC0415 - only for streams

        body = stream_bodies.AsyncStreamBody if asynchronous else stream_bodies.StreamBody
        kind = event_encoding.EVENT_STREAM
        if call.stream_kind is StreamKind.BYTES:
            kind = dict(served.outcome.stream.headers).get("content-type", "application/octet-stream")  # type: ignore[union-attr]
        stream: Any = body(self._requests, call, served, request_id)
        if route.is_google and route.as_array:
            from modelmesh._engine.gateway import json_array_bodies  # noqa: PLC0415 - only for Google's streams without alt=sse

            kind = JSON
            stream = (json_array_bodies.AsyncJsonArrayBody if asynchronous else json_array_bodies.JsonArrayBody)(stream)
        headers.append(("content-type", kind))
        return GatewayResponse(200, headers, stream)

    def fail(self, request: GatewayRequest, error: Exception) -> GatewayResponse:
        """Return the response to a request that failed outside of the gateway."""
        return self._failed(request, error, _request_id(request))

    def _failed(self, request: GatewayRequest, error: Exception, request_id: str) -> GatewayResponse:
        if not isinstance(error, HttpError | ModelMeshError | ModuleNotFoundError):
            _log.error("unexpected error in %s %s", request.method, request.path, exc_info=error)
        request_id = getattr(error, "request_id", None) or request_id
        dialect = dialect_of(request)
        content = error_body(dialect, error, request_id)
        headers = _headers(JSON, request_id) + error_headers(error, retry=self._sdk_retries)
        if dialect is Dialect.ANTHROPIC:
            headers += _anthropic_id(headers)
        if isinstance(error, ModelMeshError):
            headers.append(("x-modelmesh-attempts", str(len(getattr(error, "attempts", ())))))
        cause = None if isinstance(error, HttpError) else error
        status = status_of(error)
        if dialect is Dialect.GOOGLE and (feedback := google.blocked_prompt(error)) is not None:
            status, content = 200, feedback  # Google's own format of a prompt that it blocked
        return GatewayResponse(status, headers, json_codec.encode(content), cause)


def _headers(kind: str, request_id: str) -> list[tuple[str, str]]:
    return [("content-type", kind), ("x-request-id", request_id)]


def _anthropic_id(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the ID of the request in the header that Anthropic's clients read, nothing where the vendor sent it."""
    known = dict(headers)
    return [] if "request-id" in known else [("request-id", known["x-request-id"])]


def _request_id(request: GatewayRequest) -> str:
    return request.headers.get("x-request-id") or f"req_{getrandbits(128):032x}"


def _pieces(body: Any) -> Iterable[bytes]:
    return (body,) if isinstance(body, bytes) else body


async def _afeed(reader: MultipartReader, body: Any) -> None:
    """Feed a body to a reader. Pieces that are there already, and the writes to disk, do not block the event loop."""
    from asyncio import to_thread  # noqa: PLC0415 - a gateway for threads does not import it

    if isinstance(body, AsyncIterable) and not isinstance(body, Iterable):
        async for piece in body:
            await to_thread(reader.feed, piece)
        return

    def feed() -> None:
        for piece in _pieces(body):
            reader.feed(piece)

    await to_thread(feed)

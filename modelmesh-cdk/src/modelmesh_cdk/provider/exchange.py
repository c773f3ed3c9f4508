"""The exchange with a vendor as generators without I/O, and the two drivers that perform their steps.

A generator yields :class:`Send`, :class:`ReadBody` or ``CLOSE``. A driver performs the step, sends the result into the
generator and throws errors of the transport into it. Threads and event loops thus share every decision: batches of embeddings,
the second request without stream usage, limits, decoding and errors.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh.contracts import CHAT, EMBEDDINGS
from modelmesh.contracts.provider import Answer
from modelmesh.errors import ProviderError
from modelmesh_cdk.provider.decoding import check_is_stream, check_not_a_whole_answer, may_be_stream
from modelmesh_cdk.provider.embedding_batches import Batches, remaining
from modelmesh_cdk.provider.encoding import call_encode_hook
from modelmesh_cdk.provider.error_responses import describe_unreadable, invalid_response, over_limit, transport_failure
from modelmesh_cdk.provider.stream_reader import StreamReader
from modelmesh_cdk.provider.stream_usage import refuses_usage
from modelmesh_cdk.provider.vectors import refuses_base64
from modelmesh_cdk.transport.interfaces import Deadline, TransportError
from modelmesh_cdk.wire import json_codec
from modelmesh_cdk.wire.limits import LARGE_BODY, MAX_BODY, Body, OverLimitError
from modelmesh_cdk.wire.request import WireRequest

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call, Limits
    from modelmesh_cdk.provider import operation_streams
    from modelmesh_cdk.provider.hooks import ProviderHooks
    from modelmesh_cdk.provider.learned_limits import LearnedLimits
    from modelmesh_cdk.provider.operation_streams import BytesReader
    from modelmesh_cdk.transport.interfaces import AsyncTransport, Transport
else:  # chat completions need none of it
    operation_streams = LazyModule(globals(), "operation_streams", "modelmesh_cdk.provider.operation_streams")

T = TypeVar("T")


class Send(NamedTuple):
    """Step: send a request and wait for the headers of its response. The result is the response.

    The body is ``bytes`` or a :class:`~modelmesh_cdk.transport.interfaces.RequestBody`.
    """

    method: str
    url: str
    headers: list[tuple[str, str]]
    body: Any
    deadline: Deadline


class ReadBody(NamedTuple):
    """Step: read the response to its end into a body, and close the response."""

    body: Body


class _Close(Enum):
    """Step: close the response unread."""

    CLOSE = "close"


CLOSE: Final = _Close.CLOSE

Step = Send | ReadBody | _Close
Exchange = Generator[Step, Any, T]
"""A generator that yields steps and returns a result."""


def drive_sync(steps: Exchange[T], transport: Transport) -> T:
    """Perform the steps of an exchange in a thread and return its result."""
    response: Any = None
    try:
        step = next(steps)
        while True:
            try:
                if step.__class__ is Send:
                    response = transport.send(*step)
                elif step.__class__ is ReadBody:
                    try:
                        for piece in response:
                            step.body.feed(piece)
                    finally:
                        response.close()
                else:
                    response.close()
            except BaseException as error:  # noqa: BLE001 - the exchange decides
                step = steps.throw(error)
            else:
                step = steps.send(response)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


async def drive_async(steps: Exchange[T], transport: AsyncTransport) -> T:
    """Perform the steps of an exchange in an event loop and return its result."""
    response: Any = None
    try:
        step = next(steps)
        while True:
            try:
                if step.__class__ is Send:
                    response = await transport.send(*step)
                elif step.__class__ is ReadBody:
                    try:
                        async for piece in response:
                            step.body.feed(piece)
                    finally:
                        await response.aclose()
                else:
                    await response.aclose()
            except BaseException as error:  # noqa: BLE001 - the exchange decides
                step = steps.throw(error)
            else:
                step = steps.send(response)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def attempt(
    provider: ProviderHooks, call: Call, model: str, limits: Limits, learned: LearnedLimits
) -> Exchange[Answer | StreamReader | BytesReader]:
    """Serve one attempt. A request for several embeddings may become several requests."""
    if call.operation.name == EMBEDDINGS.name:
        batches = Batches(call, model, provider.embedding_limit, learned.batch_sizes)
        if batches.is_splittable:
            return _attempt_batches(provider, batches, model, limits, learned)
    return _attempt_part(provider, call, model, limits, learned)


def _attempt_batches(
    provider: ProviderHooks, batches: Batches, model: str, limits: Limits, learned: LearnedLimits
) -> Exchange[Answer]:
    began = time.monotonic()
    try:
        for part in batches.pending_parts():
            try:
                answer = yield from _attempt_part(provider, part, model, remaining(limits, began), learned)
                batches.add(part, answer)  # type: ignore[arg-type] # embeddings are not streamed
            except ProviderError as error:
                if not batches.reduce_size(part, error):
                    raise
    except ProviderError as error:
        raise batches.attach_usage(error) from None
    return batches.join()


def _attempt_part(
    provider: ProviderHooks, call: Call, model: str, limits: Limits, learned: LearnedLimits
) -> Exchange[Answer | StreamReader | BytesReader]:
    """Send a request, and once more without stream usage or base64 where the server rejects what the kit added."""
    usage_refused, base64_refused = learned.refuses_stream_usage, learned.refuses_base64
    began = time.monotonic()
    request = WireRequest(call, model, usage_refused=usage_refused, base64_refused=base64_refused)
    try:
        try:
            reply = yield from _send(provider, request, limits)
        except ProviderError as error:
            usage_refused = usage_refused or refuses_usage(request, error)
            base64_refused = base64_refused or refuses_base64(request, error, proven=learned.reads_base64)
            if (usage_refused, base64_refused) == (learned.refuses_stream_usage, learned.refuses_base64):
                raise
            request = WireRequest(call, model, usage_refused=usage_refused, base64_refused=base64_refused)
            reply = yield from _send(provider, request, remaining(limits, began))
    except ProviderError as error:
        error.adapted = request.adapted
        raise
    # Only now: a refusal may have had another cause.
    learned.refuses_stream_usage, learned.refuses_base64 = usage_refused, base64_refused
    learned.reads_base64 = learned.reads_base64 or request.base64_asked
    return reply


def _send(provider: ProviderHooks, request: WireRequest, limits: Limits) -> Exchange[Answer | StreamReader | BytesReader]:
    call = request.call
    url, headers, body = call_encode_hook(provider, request)
    deadline = deadline_of(limits, stream=call.stream)
    try:
        response = yield Send(request.method, url, headers, body, deadline)
    except TransportError as error:
        raise transport_failure(provider, error, limits) from None
    try:
        try:
            stream = _open_stream(provider, request, response, deadline, limits) if call.stream else None
            if stream is not None:
                return stream
            limit = MAX_BODY if call.operation.name == CHAT.name else LARGE_BODY
            collected = Body(response.headers.get("content-encoding"), limit)
        except BaseException:
            yield CLOSE
            raise
        yield ReadBody(collected)
        if call.stream:
            check_not_a_whole_answer(provider, response.status, response.headers, collected.end())
        # No variable refers to the body, so that the hook can free it.
        return provider._decode_response(request, response.status, response.headers, collected.take())  # noqa: SLF001 - a hook
    except TransportError as error:
        raise transport_failure(provider, error, limits) from None
    except OverLimitError as error:
        raise over_limit(provider, call, str(error), response.status, response.headers) from None
    except ValueError as error:
        raise invalid_response(provider, describe_unreadable(provider, error), response.status, response.headers) from None


def _open_stream(
    provider: ProviderHooks, request: WireRequest, response: Any, deadline: Deadline, limits: Limits
) -> StreamReader | BytesReader | None:
    """Return the reader of a response that can be the requested stream, ``None`` for one whose body is read first."""
    if request.call.operation.name != CHAT.name:
        return operation_streams.open_stream(provider, request, response, deadline, limits)
    if not may_be_stream(response.status, response.headers):
        return None
    check_is_stream(response.headers)
    return StreamReader(provider, request, response, deadline, limits)


def fetch_json(provider: ProviderHooks, url: str, headers: list[tuple[str, str]], limits: Limits) -> Exchange[Any]:
    """Fetch a JSON document of the vendor, such as its model list.

    Args:
        provider: Maps errors.
        url: Address of the document.
        headers: Request headers.
        limits: Seconds that it may take.

    Raises:
        ProviderError: There is no document.
    """
    try:
        response = yield Send("GET", url, headers, b"", deadline_of(limits, stream=False))
        try:
            body = Body(response.headers.get("content-encoding"))
        except ValueError:
            yield CLOSE
            raise
        yield ReadBody(body)
        raw = body.end()
        if response.status == 200:  # noqa: PLR2004 - HTTP OK
            return json_codec.decode(raw)
    except TransportError as error:
        raise transport_failure(provider, error, limits) from None
    except ValueError as error:
        raise invalid_response(provider, describe_unreadable(provider, error), response.status, response.headers) from None
    raise provider._map_error_response(response.status, response.headers, raw)  # noqa: SLF001 - a hook


def deadline_of(limits: Limits, *, stream: bool) -> Deadline:
    """Start the deadline of an exchange.

    Args:
        limits: Seconds that it may take.
        stream: Whether the response is a stream.
    """
    phase = limits.first_content if stream else limits.answer
    return Deadline(connect=limits.connect, phase=phase, total=limits.total, gap=limits.gap)

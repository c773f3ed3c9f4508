"""Tests of the operations other than chat completions and embeddings."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any
from urllib.parse import urlsplit

import pytest
from attrs import evolve

from modelmesh.contracts import OPERATIONS, FailureClass
from modelmesh.contracts.files import FileUpload
from modelmesh.contracts.operations import BodyKind, OperationScope, ReplyKind
from modelmesh.errors import ProviderError, RateLimitError
from modelmesh_cdk.testing.callers import MODEL, Caller
from modelmesh_cdk.testing.dialects.operation_samples import OPERATION_SAMPLES, path_arguments, sent_path
from modelmesh_cdk.testing.forms import ReceivedFile
from modelmesh_cdk.testing.provider.subject import KEY, Subject
from modelmesh_cdk.testing.upstream import Script, Upstream

_F = FailureClass
INVENTED = {"a_parameter_of_tomorrow": "ü"}
BROKEN = (_F.DISCONNECT, _F.PROTOCOL)


class Operations(Subject):
    """Speech, transcriptions, images, files and the others: requests have the vendor's format, answers are whole or errors."""

    def operation_answer(self, name: str, ask: Caller, upstream: Upstream, **more: Any) -> Any:
        """Return the caller's answer to the sample request of an operation."""
        sample = OPERATION_SAMPLES[name]
        upstream.then(self.wire.write_operation(OPERATIONS[name], sample.answer, sample.media))
        return ask.operation(name, {**sample.payload, **more}).body

    def operation_error(self, name: str, script: Script, ask: Caller, upstream: Upstream) -> ProviderError:
        """Return the error of the sample request of an operation for a response."""
        upstream.then(script)
        with pytest.raises(ProviderError) as caught:
            ask.operation(name, OPERATION_SAMPLES[name].payload)
        return caught.value

    # -- requests -----------------------------------------------------------------------------------------------------

    def test_operation_request_has_method_path_and_key(self, operation: str, thread_ask: Caller, upstream: Upstream) -> None:
        """The request has the method and the path of the operation, and the key in one header."""
        self.operation_answer(operation, thread_ask, upstream)
        (received,) = upstream.received
        assert received.method == OPERATIONS[operation].method
        assert urlsplit(received.path).path == f"{self.root}{sent_path(operation)}"
        assert self.wire.key(received) == KEY
        assert KEY not in received.path
        assert KEY.encode() not in received.body
        assert sum(KEY in value for value in received.headers.values()) == 1

    def test_operation_parameters_arrive(self, operation: str, ask: Caller, upstream: Upstream) -> None:
        """Every parameter arrives in the body of the operation's kind, an unknown one too. Only a model has its name there."""
        self.operation_answer(operation, ask, upstream, **INVENTED)
        row = OPERATIONS[operation]
        wanted = {**OPERATION_SAMPLES[operation].payload, **INVENTED}
        for name in path_arguments(row):
            del wanted[name]
        if row.scope is OperationScope.MODEL:
            wanted["model"] = MODEL
        arrived = self.wire.read_operation(row, upstream.last)
        assert arrived == wanted if row.body is BodyKind.JSON else _as_text(arrived) == _as_text(wanted)

    def test_operation_upload_is_sent_whole_again(self, upload_operation: str, thread_ask: Caller, upstream: Upstream) -> None:
        """A second attempt after a failure sends the whole file, with its name and media type."""
        self.operation_error(upload_operation, self.wire.write_error(503, "test"), thread_ask, upstream)
        self.operation_answer(upload_operation, thread_ask, upstream)
        forms = [self.wire.read_operation(OPERATIONS[upload_operation], one) for one in upstream.received]
        (wanted,) = (value for value in OPERATION_SAMPLES[upload_operation].payload.values() if isinstance(value, FileUpload))
        whole = ReceivedFile(wanted.filename, wanted.content_type, wanted.open().read())
        assert [[value for value in form.values() if isinstance(value, ReceivedFile)] for form in forms] == [[whole], [whole]]

    def test_operation_call_is_not_changed(self, operation: str, thread_ask: Caller, upstream: Upstream) -> None:
        """The connector does not modify the call, because other attempts share it."""
        self.operation_answer(operation, thread_ask, upstream)
        assert thread_ask.call.payload == thread_ask.sent

    # -- answers ------------------------------------------------------------------------------------------------------

    def test_operation_answer_is_complete(self, operation: str, ask: Caller, upstream: Upstream) -> None:
        """The answer is the vendor's: bytes as they are, and an object with every field, an unknown one too."""
        sample = OPERATION_SAMPLES[operation]
        wanted = {**sample.answer, "of_the_vendor": {"n": 0}} if isinstance(sample.answer, dict) else sample.answer
        upstream.then(self.wire.write_operation(OPERATIONS[operation], wanted, sample.media))
        assert ask.operation(operation, sample.payload).body == wanted

    def test_operation_usage_is_the_vendors(self, counted_operation: str, thread_ask: Caller, upstream: Upstream) -> None:
        """The reported usage arrives. An answer without it has no zeros instead."""
        wanted = deepcopy(OPERATION_SAMPLES[counted_operation].answer)
        assert self.operation_answer(counted_operation, thread_ask, upstream)["usage"] == wanted.pop("usage")
        upstream.then(self.wire.write_operation(OPERATIONS[counted_operation], wanted, "application/json"))
        untold = thread_ask.operation(counted_operation, OPERATION_SAMPLES[counted_operation].payload).body.get("usage")
        assert not untold or not any(count == 0 for count in untold.values())

    def test_operation_stream_is_complete(self, streamed_operation: str, ask: Caller, upstream: Upstream) -> None:
        """The items of a stream arrive in order, with all fields."""
        sample, row = OPERATION_SAMPLES[streamed_operation], OPERATIONS[streamed_operation]
        upstream.then(self.wire.write_operation_stream(row, sample.events, sample.media))
        got, error = ask.items(streamed_operation, sample.payload)
        assert error is None
        assert _joined(got) == _joined(list(sample.events))

    # -- failures -----------------------------------------------------------------------------------------------------

    def test_operation_error_has_its_class(self, any_operation: str, thread_ask: Caller, upstream: Upstream) -> None:
        """An error response has its class and its delay, and its error does not contain the key."""
        error = self.operation_error(any_operation, self.wire.write_error(429, "test", wait=7), thread_ask, upstream)
        assert (error.failure, error.upstream_delay_s) == (_F.THROTTLE, 7.0)
        error = self.operation_error(
            any_operation, self.wire.write_error(400, f"Incorrect API key provided: {KEY}"), thread_ask, upstream
        )
        assert KEY not in json.dumps([str(error), repr(error), repr(vars(error))])
        assert KEY not in "".join(traceback.format_exception(error))

    def test_operation_wrong_answer_is_a_failure(self, any_operation: str, thread_ask: Caller, upstream: Upstream) -> None:
        """A successful response with a page, with nothing, or with JSON of another type is an error. A file may be anything."""
        page = Script(200, b"<html>Welcome</html>", content_type="text/html")
        wrong = [page, Script(200, b""), Script(200, b"[1]"), Script(200, b'{"choices": [')]
        for script in wrong if any_operation != "files.content" else ():
            assert self.operation_error(any_operation, script, thread_ask, upstream).failure is _F.PROTOCOL, script.body

    def test_operation_error_body_with_status_200_is_a_failure(
        self, any_operation: str, thread_ask: Caller, upstream: Upstream
    ) -> None:
        """An error body with status 200 is an error, also where the operation returns bytes. Its code decides the class."""
        script = evolve(self.wire.write_error(429, "busy"), status=200)
        if self.wire.has_error_codes or OPERATIONS[any_operation].required_keys:
            error = self.operation_error(any_operation, script, thread_ask, upstream)
            assert isinstance(error, RateLimitError) or not self.wire.has_error_codes, repr(error)

    def test_operation_truncated_answer_is_a_failure(self, any_operation: str, thread_ask: Caller, upstream: Upstream) -> None:
        """An answer shorter than its announced length is an error, even if the received part can be read."""
        sample = OPERATION_SAMPLES[any_operation]
        body = sample.answer if isinstance(sample.answer, bytes) else json.dumps(sample.answer).encode()
        script = Script(200, body, content_type=sample.media, cut=True)
        assert self.operation_error(any_operation, script, thread_ask, upstream).failure in BROKEN

    def test_operation_broken_stream_is_a_failure(
        self, any_streamed_operation: str, thread_ask: Caller, upstream: Upstream
    ) -> None:
        """A stream that is a page, breaks off or contains an error event raises. It never looks complete."""
        sample, row = OPERATION_SAMPLES[any_streamed_operation], OPERATIONS[any_streamed_operation]
        in_format = any_streamed_operation in self.openai_operations
        for script in self.broken_streams(any_streamed_operation) if in_format or row.reply is ReplyKind.BYTES else ():
            upstream.then(script)
            _, error = _caught(thread_ask, any_streamed_operation, sample.payload)
            assert isinstance(error, ProviderError), script.body
            assert KEY not in str(error)

    # -- helpers of the tests -----------------------------------------------------------------------------------------

    def broken_streams(self, name: str) -> Iterator[Script]:
        """Yield streams of an operation that are not whole."""
        sample, row = OPERATION_SAMPLES[name], OPERATIONS[name]
        whole = self.wire.write_operation_stream(row, sample.events, sample.media)
        begun = [part for part in whole.body if isinstance(part, bytes)][:1]
        yield evolve(whole, body=begun, cut=True)
        if row.reply is ReplyKind.JSON:
            yield Script(200, b"<html>Welcome</html>", content_type="text/html")
            yield evolve(whole, body=[*begun, *self.wire.write_error_event()])

    @pytest.fixture
    def thread_ask(self, upstream: Upstream) -> Iterator[Caller]:
        """A caller from a thread, for tests whose rule does not depend on it."""
        with Caller(self.make(upstream), in_task=False) as asking:
            yield asking


def _caught(ask: Caller, name: str, payload: Mapping[str, Any]) -> tuple[list[Any], Exception | None]:
    """Return the items of a stream and its error, which may come before the first item."""
    try:
        return ask.items(name, payload)
    except ProviderError as error:
        return [], error


def _joined(items: list[Any]) -> Any:
    """Return the bytes of pieces, which the network may split anywhere, or the items."""
    return b"".join(items) if items and isinstance(items[0], bytes) else items


def _as_text(value: Any) -> Any:
    """Return parameters for comparison: a form has only text and files."""
    if isinstance(value, Mapping):
        return {name: _as_text(one) for name, one in value.items()}
    if isinstance(value, FileUpload):
        return ReceivedFile(value.filename, value.content_type, value.open().read())
    if isinstance(value, list):
        return [_as_text(one) for one in value]
    return value if isinstance(value, ReceivedFile | str) else str(value)

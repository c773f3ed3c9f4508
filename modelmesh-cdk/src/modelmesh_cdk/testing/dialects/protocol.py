"""Protocol of a wire format."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from modelmesh.contracts import FailureClass, Operation
from modelmesh.contracts.operations import BodyKind, StreamKind
from modelmesh_cdk.message_rules import MessageRules, find_violations
from modelmesh_cdk.testing.dialects.samples import VECTORS
from modelmesh_cdk.testing.dialects.shape import named_event, written
from modelmesh_cdk.testing.forms import read_form, read_query
from modelmesh_cdk.testing.upstream import Received, Script


class Refusal(NamedTuple):
    """An error response of a vendor and its failure class.

    Attributes:
        status: HTTP status.
        body: Error body.
        failure: Failure class that a connector must report.
    """

    status: int
    body: Mapping[str, Any]
    failure: FailureClass

    def script(self) -> Script:
        """Return the scripted response."""
        return Script(self.status, json.dumps(self.body, ensure_ascii=False).encode())


class Dialect(Protocol):
    """Wire format of a vendor: reads requests and writes responses, so that one test serves every vendor of the format.

    All arguments and results except bytes are in OpenAI's format. The defaults fit most formats: derive from this class or from
    the nearest dialect, and override the differences.

    Attributes:
        unsupported_capabilities: Capabilities of the kit that the format lacks, such as ``supports_several_choices``. Tests
            that need one are skipped with its name.
        has_error_codes: Whether an error body has a vendor code.
        reports_model: Whether a response names its model. Else the caller gets the requested name.
        arguments_are_text: Whether the arguments of a call are text, which arrives unchanged, rather than an object.
        required_parameters: Parameters that the vendor requires in a chat, which a connector adds.
        required_embedding_parameters: Parameters that the vendor requires in an embedding request.
        has_pages: Whether the model list has pages.
        vectors: Three different embeddings of 32-bit floats that the format can express.
        finish_reasons: The caller's finish reason by the vendor's.
        unknown_finish_reason: The caller's finish reason for an unknown one: the vendor's own, or ``stop``.
        failed_finish_reasons: Finish reasons of the vendor for a failed response, for which the caller gets an error.
        error_responses: Error responses of the vendor and their classes.
        operations: Names of the operations, other than chat completions and embeddings, whose format the dialect reads and
            writes.
        extra_field_paths: Path of an unknown field in the caller's response, as keys from its top, by the part of the
            vendor's response (``answer``, ``choice``, ``message``, ``usage``) or stream (``chunk``, ``delta``) that has it.
            A format that lacks a part writes the field into the nearest one.
    """

    unsupported_capabilities: Collection[str] = frozenset()
    has_error_codes: bool = True
    reports_model: bool = True
    arguments_are_text: bool = True
    required_parameters: Collection[str] = frozenset()
    required_embedding_parameters: Collection[str] = frozenset()
    has_pages: bool = False
    vectors: Sequence[Sequence[float]] = VECTORS
    finish_reasons: Mapping[str, str] = {"stop": "stop", "length": "length", "content_filter": "content_filter"}
    failed_finish_reasons: Sequence[str] = ()
    unknown_finish_reason: str = "a_reason_of_tomorrow"
    error_responses: Sequence[Refusal] = ()
    operations: Collection[str] = frozenset()
    extra_field_paths: Mapping[str, tuple[str | int, ...]] = {
        "answer": (),
        "choice": ("choices", 0),
        "message": ("choices", 0, "message"),
        "usage": ("usage",),
        "chunk": (),
        "delta": ("choices", 0, "delta"),
    }

    # -- requests -----------------------------------------------------------------------------------------------------

    def path(self, operation: str, model: str) -> str:
        """Return the path of a request without a stream, below the API's root.

        Args:
            operation: Name of the operation: ``chat.completions`` or ``embeddings``.
            model: The requested model.
        """
        ...

    def key(self, received: Received) -> str | None:
        """Return the key of a request from the vendor's place, or ``None``."""
        ...

    def read_chat(self, received: Received) -> dict[str, Any]:
        """Return the chat of a request, including unknown fields.

        Raises:
            AssertionError: The request lacks something that the vendor requires.
        """
        ...

    def read_embeddings(self, received: Received) -> dict[str, Any]:
        """Return the embedding request.

        Raises:
            AssertionError: The request lacks something that the vendor requires.
        """
        ...

    def read_operation(self, operation: Operation, received: Received) -> dict[str, Any]:
        """Return the parameters of a request for another operation: the form, the JSON body or the query.

        Arguments in the path are left out.

        Raises:
            AssertionError: The request lacks something that the vendor requires.
        """
        assert received.method == operation.method, f"the method is {received.method}"
        if operation.body is BodyKind.MULTIPART:
            return read_form(received)
        if received.body:
            assert received.headers.get("content-type") == "application/json", "the media type of the body is not JSON"
            body = received.json
            assert isinstance(body, dict), "the body of a request is a JSON object"
            return body
        assert "content-type" not in received.headers, "a request without a body has no media type"
        return read_query(received)

    def expected_value(self, name: str, value: Any, received: Received) -> Any:
        """Return the value that the vendor receives for a parameter: equal, the nearest supported one, or ``None``.

        A note of the adaptation must mention a different value by the last part of the parameter's name.

        Args:
            name: Name of the parameter, with dots for nested ones: ``image_url.detail``.
            value: The caller's value.
            received: The request, whose version may decide the result.
        """
        del name, received
        return value

    def violations(self, question: Mapping[str, Any], rules: MessageRules | None) -> list[str]:
        """Return the rules of the vendor that a request breaks, one line each.

        Args:
            question: Result of :meth:`read_chat` for the request.
            rules: Rules of the connector, or ``None`` if it has none.
        """
        return [] if rules is None else find_violations(question, rules)

    # -- responses ----------------------------------------------------------------------------------------------------

    def write_response(self, body: Mapping[str, Any]) -> bytes:
        """Write a response. A finish reason that is not OpenAI's is the vendor's, and unknown fields are kept."""
        ...

    def write_stream(self, chunks: Sequence[Mapping[str, Any]], *, done: bool = True) -> list[bytes]:
        """Write the events of a stream, with the final event if it is done.

        Each text chunk has its own event, which contains the unknown fields of the chunk and of its delta.
        """
        ...

    def write_final_event(self) -> list[bytes]:
        """Return the events that end a stream, or an empty list if the end of the body does."""
        return []

    def write_error_event(self) -> list[bytes]:
        """Return the events of an error in a stream."""
        ...

    def write_embeddings(self, body: Mapping[str, Any], received: Received) -> bytes:
        """Write embeddings, which are numbers in ``body``, in the requested encoding."""
        ...

    def write_operation(self, operation: Operation, body: Any, media: str) -> Script:
        """Return the response to a request for another operation: JSON, or the bytes as they are.

        Args:
            operation: The operation.
            body: Answer in OpenAI's format: an object, or bytes.
            media: Media type of the answer in OpenAI's API.
        """
        del operation
        return Script(200, body if isinstance(body, bytes) else written(body), content_type=media)

    def write_operation_stream(self, operation: Operation, items: Sequence[Any], media: str) -> Script:
        """Return the stream of another operation: bytes as they are, or one event for each item and the end of the stream.

        Args:
            operation: The operation.
            items: Events, chunks or pieces in OpenAI's format.
            media: Media type of an answer that is streamed as bytes.
        """
        if operation.stream is StreamKind.BYTES:
            return Script(200, list(items), content_type=media)
        if operation.stream is StreamKind.TEXTS:
            return Script(200, self.write_stream(items), content_type="text/event-stream")
        return Script(200, [named_event(item["type"], item) for item in items], content_type="text/event-stream")

    # -- the list of models -------------------------------------------------------------------------------------------

    def model_list_path(self, root: str) -> str:
        """Return the path of the vendor's model list.

        Args:
            root: Path of the API with its version.
        """
        return f"{root}/models"

    def write_model_list(self, rows: Sequence[Any], *, more: bool = False) -> bytes:
        """Write a page of the model list with the minimal facts of each model.

        Args:
            rows: Names of models. A row that is not text is written unchanged.
            more: Whether another page follows. Its token is the last name of this page.
        """
        del more
        data = [{"id": row, "object": "model", "created": 0, "owned_by": "test"} if isinstance(row, str) else row for row in rows]
        return json.dumps({"object": "list", "data": data}).encode()

    def requested_page(self, received: Received) -> str | None:
        """Return the name after which the requested page begins, or ``None`` for the first page."""
        del received
        return None

    # -- errors -------------------------------------------------------------------------------------------------------

    def write_error(
        self, status: int, message: str, *, code: str | None = None, wait: float | None = None, request_id: str | None = None
    ) -> Script:
        """Return an error response with its details in the vendor's places.

        Args:
            status: HTTP status.
            message: Message of the vendor.
            code: Error code, if error bodies have one. By default the usual one of the status.
            wait: Requested delay in seconds.
            request_id: Request ID for the vendor's support.
        """
        ...

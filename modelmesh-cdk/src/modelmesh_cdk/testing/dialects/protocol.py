"""What the kit asks of a wire dialect."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from modelmesh.contracts import FailureClass
from modelmesh_cdk.message_rules import MessageRules, find_violations
from modelmesh_cdk.testing.dialects.samples import VECTORS
from modelmesh_cdk.testing.upstream import Received, Script


class Refusal(NamedTuple):
    """One of a vendor's refusals, and what it means.

    Attributes:
        status: HTTP status.
        body: The error body.
        failure: The class that a connector has to find.
    """

    status: int
    body: Mapping[str, Any]
    failure: FailureClass

    def script(self) -> Script:
        """Return it as an answer of the upstream's."""
        return Script(self.status, json.dumps(self.body, ensure_ascii=False).encode())


class Dialect(Protocol):
    """How a vendor's wire is written down and read back, so that one check serves every vendor that speaks it.

    All in and out is in OpenAI's shape but the bytes. What has a value here is right for most formats: derive from this
    class, or from the dialect that is nearest, and write down what is different.

    Attributes:
        unsupported_capabilities: Capabilities of the kit that the format lacks, such as ``supports_several_choices``. Tests
            that need one are skipped with its name.
        has_error_codes: Whether an error body has a code of the vendor's own.
        reports_model: Whether an answer says which model gave it; else the caller gets the name that was asked.
        arguments_are_text: Whether a call's arguments travel as text, which then arrives to the letter; else as an object.
        required_parameters: Parameters without which the vendor takes no chat; a connector adds them.
        required_embedding_parameters: The same for embeddings.
        has_pages: Whether the list of models comes in pages.
        vectors: Three embeddings that the format can write, no two alike; each number one that 32 bits hold.
        finish_reasons: The vendor's words for why an answer ends, and what the caller gets of each.
        unknown_finish_reason: Finish reason that the caller gets for an unknown one: the vendor's own, or ``stop``.
        failed_finish_reasons: Its words for an answer that ends because the vendor failed; the caller gets an error of each.
        error_responses: What the vendor refuses with, and the class of each.
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
    extra_field_paths: Mapping[str, tuple[str | int, ...]] = {
        "answer": (),
        "choice": ("choices", 0),
        "message": ("choices", 0, "message"),
        "usage": ("usage",),
        "chunk": (),
        "delta": ("choices", 0, "delta"),
    }

    # -- what is asked ------------------------------------------------------------------------------------------------

    def path(self, operation: str, model: str) -> str:
        """Return where a request that is not streamed goes, below the API's root.

        Args:
            operation: Name in the table of operations: ``chat.completions`` or ``embeddings``.
            model: The model that is asked.
        """
        ...

    def key(self, received: Received) -> str | None:
        """Return the key that a request carries, ``None`` when it has none where the vendor looks."""
        ...

    def read_chat(self, received: Received) -> dict[str, Any]:
        """Return the chat that a request asks for, what the vendor would not know about in it.

        Raises:
            AssertionError: The vendor would not take the request for what it lacks.
        """
        ...

    def read_embeddings(self, received: Received) -> dict[str, Any]:
        """Return the embeddings that a request asks for.

        Raises:
            AssertionError: The vendor would not take the request for what it lacks.
        """
        ...

    def expected_value(self, name: str, value: Any, received: Received) -> Any:
        """Return the value with which a parameter arrives: the same, the nearest that the vendor takes, or ``None``.

        What differs from ``value`` must be noted as adapted, by the last part of its name.

        Args:
            name: Of the parameter, with dots for what stands inside it: ``image_url.detail``.
            value: What the caller gave.
            received: The request, since it may depend on the version that it asks for.
        """
        del name, received
        return value

    def violations(self, question: Mapping[str, Any], rules: MessageRules | None) -> list[str]:
        """Return the rules of the vendor that a request breaks, one line each.

        Args:
            question: What :meth:`question` returned for the request.
            rules: The rules that the connector states; ``None`` when it states none.
        """
        return [] if rules is None else find_violations(question, rules)

    # -- what is answered ---------------------------------------------------------------------------------------------

    def write_response(self, body: Mapping[str, Any]) -> bytes:
        """Write a whole answer; a finish reason that is not OpenAI's is the vendor's, and unknown fields are kept."""
        ...

    def write_stream(self, chunks: Sequence[Mapping[str, Any]], *, done: bool = True) -> list[bytes]:
        """Write the events of a stream, after them the vendor's last word when it is done.

        Text comes in an event for each chunk of it; unknown fields of the chunk and of its delta come with the text.
        """
        ...

    def write_final_event(self) -> list[bytes]:
        """Return the events by which the vendor says that a stream is over; none where the end of the body says it."""
        return []

    def write_error_event(self) -> list[bytes]:
        """Return the events by which the vendor says that it cannot go on with a stream."""
        ...

    def write_embeddings(self, body: Mapping[str, Any], received: Received) -> bytes:
        """Write embeddings, numbers in ``body``, in the form that the request asks for."""
        ...

    # -- the list of models -------------------------------------------------------------------------------------------

    def model_list_path(self, root: str) -> str:
        """Return the path of the vendor's list of models.

        Args:
            root: Path of the API, with its version.
        """
        return f"{root}/models"

    def write_model_list(self, rows: Sequence[Any], *, more: bool = False) -> bytes:
        """Write a page of the list that says no more of its models than it must.

        Args:
            rows: Names of models; what is no text is written as a row as it is.
            more: Another page follows, where the format has pages; its token is the last name of this one.
        """
        del more
        data = [{"id": row, "object": "model", "created": 0, "owned_by": "test"} if isinstance(row, str) else row for row in rows]
        return json.dumps({"object": "list", "data": data}).encode()

    def requested_page(self, received: Received) -> str | None:
        """Return the name after which the page begins that a request asks for, ``None`` for the first page."""
        del received
        return None

    # -- what is refused ----------------------------------------------------------------------------------------------

    def write_error(
        self, status: int, message: str, *, code: str | None = None, wait: float | None = None, request_id: str | None = None
    ) -> Script:
        """Return a refusal with what the vendor says in one, each where the vendor says it.

        Args:
            status: HTTP status.
            message: The vendor's words.
            code: Its code, where its error bodies have one; by default the usual one of the status.
            wait: Seconds after which to come again.
            request_id: What its support asks for.
        """
        ...

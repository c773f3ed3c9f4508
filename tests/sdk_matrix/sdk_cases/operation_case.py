"""One request for an operation, other than a chat completion or embeddings, and its call of the vendor's SDK."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from modelmesh.contracts import OPERATIONS
from modelmesh.contracts.files import FileUpload
from modelmesh.contracts.operations import OperationScope, StreamKind
from modelmesh_cdk.testing import Script
from modelmesh_cdk.testing.dialects import OpenAIDialect
from modelmesh_cdk.testing.dialects.operation_samples import OPERATION_SAMPLES

MODEL = "test-model"
DIALECT = OpenAIDialect()


def same(value: Any) -> Any:
    """Return a value unchanged."""
    return value


def unchanged(fields: dict[str, Any]) -> None:
    """Change no field."""


@frozen
class OperationCase:
    """A request in OpenAI's format, and the same request of the vendor's SDK.

    Attributes:
        vendor: Name of the SDK's distribution.
        provider: Our connector.
        operation: Name of the operation.
        payload: Our parameters.
        sdk: Sends the request with the SDK to an address, and returns what the SDK reads.
        script: Response of the vendor.
        streams: Whether the request is streamed.
        model: The model.
        read: Converts our answer to what the SDK returns.
        change: Converts the SDK's fields to ours, for a difference with a reason.
        key_header: Header of the key.
        note: Distinguishes requests of one operation.
    """

    vendor: str
    provider: type[Any]
    operation: str
    payload: Mapping[str, Any]
    sdk: Callable[[str], Any]
    script: Script
    streams: bool = False
    model: str = MODEL
    read: Callable[[Any], Any] = same
    change: Callable[[dict[str, Any]], None] = unchanged
    key_header: str = "authorization"
    note: str = ""

    @property
    def name(self) -> str:
        """Name of the test."""
        parts = (self.vendor, self.operation, self.note, "stream" if self.streams else "")
        return "-".join(part for part in parts if part)


def script_of(operation: str, answer: Any = None, *, streams: bool = False) -> Script:
    """Return the vendor's response in OpenAI's format: the sample of the operation, or an answer."""
    row, sample = OPERATIONS[operation], OPERATION_SAMPLES[operation]
    if streams:
        return DIALECT.write_operation_stream(row, sample.events, sample.media)
    if isinstance(answer, str):
        return Script(body=answer.encode(), content_type="text/plain")
    media = "application/json" if isinstance(answer, dict) else sample.media
    return DIALECT.write_operation(row, sample.answer if answer is None else answer, media)


def sdk_arguments(operation: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of an SDK in OpenAI's format: files as tuples, and the model where a model serves the operation."""
    model = {"model": MODEL} if OPERATIONS[operation].scope is OperationScope.MODEL else {}
    return {**model, **{name: _for_sdk(value) for name, value in payload.items()}}


def _for_sdk(value: Any) -> Any:
    if isinstance(value, FileUpload):
        return (value.filename, value.open().read(), value.content_type)
    return [_for_sdk(one) for one in value] if isinstance(value, list) else value


def plain(value: Any, *, streams: bool = False) -> Any:
    """Return what an SDK returned as plain data."""
    if streams:
        return [plain(item) for item in value]
    for method in ("to_dict", "read"):
        found = getattr(value, method, None)
        if found is not None:
            return found()
    return value


def is_streamed_with_events(operation: str) -> bool:
    """Return whether an operation has a stream of events or chunks."""
    return OPERATIONS[operation].stream not in (None, StreamKind.BYTES)

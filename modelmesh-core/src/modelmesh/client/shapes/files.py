"""Types of OpenAI's files, batches and uploads, as of the openai package 3.52.0 (read 2026-11-30)."""

from __future__ import annotations

from typing import Any

from modelmesh.client.attribute_dict import AttributeDict
from modelmesh.client.replies import Reply


class FileObject(Reply):
    """A file of an account. ``id`` ends with the account: ``file-abc@openai``."""

    __slots__ = ()

    id: str
    object: str
    bytes: int
    created_at: int
    expires_at: int | None
    filename: str
    purpose: str
    status: str
    status_details: str | None


class FileDeleted(Reply):
    """The confirmation of a deletion."""

    __slots__ = ()

    id: str
    object: str
    deleted: bool


class BatchError(AttributeDict):
    """One error of a batch."""

    __slots__ = ()

    code: str | None
    line: int | None
    message: str | None
    param: str | None


class BatchErrors(AttributeDict, nested={"data": BatchError}):
    """The errors of a batch."""

    __slots__ = ()

    object: str | None
    data: list[BatchError] | None


class BatchRequestCounts(AttributeDict):
    """Requests of a batch by state."""

    __slots__ = ()

    total: int
    completed: int
    failed: int


class Batch(Reply, nested={"errors": BatchErrors, "request_counts": BatchRequestCounts}):
    """A batch of requests, which the vendor runs within a day."""

    __slots__ = ()

    id: str
    object: str
    endpoint: str
    input_file_id: str
    completion_window: str
    status: str
    model: str | None
    output_file_id: str | None
    error_file_id: str | None
    errors: BatchErrors | None
    request_counts: BatchRequestCounts | None
    usage: Any
    created_at: int
    in_progress_at: int | None
    expires_at: int | None
    finalizing_at: int | None
    completed_at: int | None
    failed_at: int | None
    expired_at: int | None
    cancelling_at: int | None
    cancelled_at: int | None


class UploadedFile(AttributeDict):
    """The file of a completed upload."""

    __slots__ = ()

    id: str
    object: str
    bytes: int
    created_at: int
    expires_at: int | None
    filename: str
    purpose: str
    status: str
    status_details: str | None


class Upload(Reply, nested={"file": UploadedFile}):
    """A file that is uploaded in parts."""

    __slots__ = ()

    id: str
    object: str
    bytes: int
    created_at: int
    expires_at: int
    filename: str
    purpose: str
    status: str
    file: UploadedFile | None


class UploadPart(Reply):
    """One part of an upload."""

    __slots__ = ()

    id: str
    object: str
    created_at: int
    upload_id: str

"""``client.uploads`` and ``client.uploads.parts``: files that are uploaded in parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypedDict, TypeVar, Unpack

from modelmesh.client import chunks
from modelmesh.client.parameters import CallExtras
from modelmesh.client.resources.resource import AsyncResource, Awaited, SyncResource, method
from modelmesh.client.shapes.files import Upload, UploadPart

if TYPE_CHECKING:
    from modelmesh._engine.mesh.file_arguments import FileParam
    from modelmesh.client.raw import AsyncStreamedCall, RawResponse, StreamedCall

ReplyT_co = TypeVar("ReplyT_co", covariant=True)
ReplyT = TypeVar("ReplyT")


class _RequiredOfUploads(TypedDict):
    bytes: int
    filename: str
    mime_type: str
    purpose: str


class UploadParameters(_RequiredOfUploads, CallExtras, total=False):
    """Parameters of ``uploads.create``."""

    expires_after: Mapping[str, Any] | None


class _RequiredOfCompletion(TypedDict):
    part_ids: Sequence[str]


class UploadCompletionParameters(_RequiredOfCompletion, CallExtras, total=False):
    """Parameters of ``uploads.complete``."""

    md5: str | None


class _RequiredOfParts(TypedDict):
    data: FileParam


class UploadPartParameters(_RequiredOfParts, CallExtras, total=False):
    """Parameters of ``uploads.parts.create``."""


class UploadsCreate(Protocol[ReplyT_co]):
    """Signature of ``uploads.create``."""

    def __call__(self, **parameters: Unpack[UploadParameters]) -> ReplyT_co:
        """Start an upload.

        Returns:
            The upload, with its ID.

        Raises:
            AllProvidersExhaustedError: The account did not answer.
            BadRequestError: The request itself is wrong. Nothing was sent.
            ConfigurationError: No account serves the operation, or several do and the request names none.
        """
        ...


class UploadsComplete(Protocol[ReplyT_co]):
    """Signature of ``uploads.complete``."""

    def __call__(self, upload_id: str, **parameters: Unpack[UploadCompletionParameters]) -> ReplyT_co:
        """Join the parts of an upload.

        Returns:
            The upload with its ``file``.

        Raises:
            AllProvidersExhaustedError: The account did not answer.
            BadRequestError: The request itself is wrong. Nothing was sent.
            ConfigurationError: No account serves the operation, or several do and the request names none.
        """
        ...


class UploadsCancel(Protocol[ReplyT_co]):
    """Signature of ``uploads.cancel``."""

    def __call__(self, upload_id: str, **parameters: Unpack[CallExtras]) -> ReplyT_co:
        """Cancel an upload.

        Returns:
            The upload.

        Raises:
            AllProvidersExhaustedError: The account did not answer.
            BadRequestError: The request itself is wrong. Nothing was sent.
            ConfigurationError: No account serves the operation, or several do and the request names none.
        """
        ...


class PartsCreate(Protocol[ReplyT_co]):
    """Signature of ``uploads.parts.create``."""

    def __call__(self, upload_id: str, **parameters: Unpack[UploadPartParameters]) -> ReplyT_co:
        """Upload one part.

        Returns:
            The part, with its ID.

        Raises:
            AllProvidersExhaustedError: The account did not answer.
            BadRequestError: The request itself is wrong. Nothing was sent.
            ConfigurationError: No account serves the operation, or several do and the request names none.
        """
        ...


class PartsMethods(Generic[ReplyT]):
    """Methods of ``client.uploads.parts``."""

    create: PartsCreate[ReplyT] = method("uploads.parts.create", PartsCreate, UploadPartParameters, reply=UploadPart)


class UploadsMethods(Generic[ReplyT]):
    """Methods of ``client.uploads``."""

    create: UploadsCreate[ReplyT] = method("uploads.create", UploadsCreate, UploadParameters, reply=Upload)
    complete: UploadsComplete[ReplyT] = method("uploads.complete", UploadsComplete, UploadCompletionParameters, reply=Upload)
    cancel: UploadsCancel[ReplyT] = method("uploads.cancel", UploadsCancel, CallExtras, reply=Upload)


class Parts(SyncResource, PartsMethods[UploadPart]):
    """``client.uploads.parts``."""

    _prefix = "uploads.parts."
    if TYPE_CHECKING:
        with_raw_response: PartsMethods[RawResponse[UploadPart]]
        with_streaming_response: PartsMethods[StreamedCall]


class AsyncParts(AsyncResource, PartsMethods[Awaited[UploadPart]]):
    """``client.uploads.parts``."""

    _prefix = "uploads.parts."
    if TYPE_CHECKING:
        with_raw_response: PartsMethods[Awaited[RawResponse[UploadPart]]]
        with_streaming_response: PartsMethods[AsyncStreamedCall]


class Uploads(SyncResource, UploadsMethods[Upload]):
    """``client.uploads``."""

    _prefix = "uploads."

    @cached_property
    def parts(self) -> Parts:
        """``client.uploads.parts``."""
        return Parts(self._requests, self._defaults)

    def upload_file_chunked(
        self,
        *,
        file: bytes | PathLike[str],
        mime_type: str,
        purpose: str,
        filename: str | None = None,
        bytes: int | None = None,  # noqa: A002 - OpenAI's name
        part_size: int | None = None,
        md5: str | None = None,
        **options: Unpack[CallExtras],
    ) -> Upload:
        """Upload a file in parts. A failed upload is cancelled.

        Args:
            file: The bytes, or the path.
            mime_type: Media type.
            purpose: Purpose for the vendor.
            filename: Name for the vendor, required for bytes.
            bytes: Size, by default that of the file.
            part_size: Bytes of a part, by default 64 MiB.
            md5: Checksum for the vendor to check.
            **options: Options of each request.
        """
        plan = chunks.plan(file, filename, bytes, part_size)
        created = self.create(filename=plan.filename, bytes=plan.size, mime_type=mime_type, purpose=purpose, **options)
        try:
            ids = [self.parts.create(created.id, data=part, **options).id for part in plan.parts()]
            return self.complete(created.id, part_ids=ids, md5=md5, **options)
        except BaseException:
            with suppress(Exception):
                self.cancel(created.id, **options)
            raise

    if TYPE_CHECKING:
        with_raw_response: UploadsMethods[RawResponse[Upload]]
        with_streaming_response: UploadsMethods[StreamedCall]


class AsyncUploads(AsyncResource, UploadsMethods[Awaited[Upload]]):
    """``client.uploads``."""

    _prefix = "uploads."

    @cached_property
    def parts(self) -> AsyncParts:
        """``client.uploads.parts``."""
        return AsyncParts(self._requests, self._defaults)

    async def upload_file_chunked(
        self,
        *,
        file: bytes | PathLike[str],
        mime_type: str,
        purpose: str,
        filename: str | None = None,
        bytes: int | None = None,  # noqa: A002 - OpenAI's name
        part_size: int | None = None,
        md5: str | None = None,
        **options: Unpack[CallExtras],
    ) -> Upload:
        """Upload a file in parts, like :meth:`Uploads.upload_file_chunked`."""
        plan = chunks.plan(file, filename, bytes, part_size)
        created = await self.create(filename=plan.filename, bytes=plan.size, mime_type=mime_type, purpose=purpose, **options)
        try:
            ids = [(await self.parts.create(created.id, data=part, **options)).id for part in plan.parts()]
            return await self.complete(created.id, part_ids=ids, md5=md5, **options)
        except BaseException:
            with suppress(Exception):
                await self.cancel(created.id, **options)
            raise

    if TYPE_CHECKING:
        with_raw_response: UploadsMethods[Awaited[RawResponse[Upload]]]
        with_streaming_response: UploadsMethods[AsyncStreamedCall]

"""``client.files``: the files of an account. IDs end with the account: ``file-abc@openai``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypedDict, TypeVar, Unpack

from modelmesh.client.binary import BinaryReply
from modelmesh.client.pages import AsyncCursorPage, AsyncPaginator, CursorPage
from modelmesh.client.parameters import CallExtras
from modelmesh.client.replies import Reply
from modelmesh.client.resources.resource import AsyncResource, Awaited, SyncResource, method
from modelmesh.client.shapes.files import FileDeleted, FileObject

if TYPE_CHECKING:
    from modelmesh._engine.mesh.file_arguments import FileParam
    from modelmesh.client.raw import AsyncStreamedCall, RawResponse, StreamedCall

ReplyT_co = TypeVar("ReplyT_co", covariant=True)
FileT = TypeVar("FileT")
DeletedT = TypeVar("DeletedT")
ContentT = TypeVar("ContentT")
PageT = TypeVar("PageT")


class _RequiredOfFiles(TypedDict):
    file: FileParam
    purpose: str


class FileParameters(_RequiredOfFiles, CallExtras, total=False):
    """Parameters of ``files.create``."""

    expires_after: Mapping[str, Any] | None


class FileListParameters(CallExtras, total=False):
    """Parameters of ``files.list``."""

    after: str | None
    limit: int | None
    order: Literal["asc", "desc"] | None
    purpose: str | None


class FilesCreate(Protocol[ReplyT_co]):
    """Signature of ``files.create``."""

    def __call__(self, **parameters: Unpack[FileParameters]) -> ReplyT_co:
        """Upload a file. It is sent from disk in pieces, and a retry sends the whole file.

        Returns:
            The file, with its ID.

        Raises:
            AllProvidersExhaustedError: The account did not answer.
            BadRequestError: The request itself is wrong. Nothing was sent.
            ConfigurationError: No account serves the operation, or several do and the request names none.
        """
        ...


class FilesList(Protocol[ReplyT_co]):
    """Signature of ``files.list``."""

    def __call__(self, **parameters: Unpack[FileListParameters]) -> ReplyT_co:
        """List the files of an account.

        Returns:
            A page. Iteration continues on the next pages.

        Raises:
            AllProvidersExhaustedError: The account did not answer.
            BadRequestError: The request itself is wrong. Nothing was sent.
            ConfigurationError: No account serves the operation, or several do and the request names none.
        """
        ...


class FilesById(Protocol[ReplyT_co]):
    """Signature of ``files.retrieve``, ``files.delete`` and ``files.content``."""

    def __call__(self, file_id: str, **parameters: Unpack[CallExtras]) -> ReplyT_co:
        """Read or delete a file.

        Returns:
            The file, the confirmation of its deletion, or its content.

        Raises:
            AllProvidersExhaustedError: The account did not answer.
            BadRequestError: The request itself is wrong. Nothing was sent.
            ConfigurationError: No account serves the operation, or several do and the request names none.
        """
        ...


class FilesMethods(Generic[FileT, PageT, DeletedT, ContentT]):
    """Methods of ``client.files``."""

    create: FilesCreate[FileT] = method("files.create", FilesCreate, FileParameters, reply=FileObject)
    list: FilesList[PageT] = method("files.list", FilesList, FileListParameters, reply=Reply, page=FileObject)
    retrieve: FilesById[FileT] = method("files.retrieve", FilesById, CallExtras, reply=FileObject)
    delete: FilesById[DeletedT] = method("files.delete", FilesById, CallExtras, reply=FileDeleted)
    content: FilesById[ContentT] = method("files.content", FilesById, CallExtras)


class Files(SyncResource, FilesMethods[FileObject, CursorPage[FileObject], FileDeleted, BinaryReply]):
    """``client.files``."""

    _prefix = "files."
    if TYPE_CHECKING:
        with_raw_response: FilesMethods[
            RawResponse[FileObject], RawResponse[CursorPage[FileObject]], RawResponse[FileDeleted], RawResponse[BinaryReply]
        ]
        with_streaming_response: FilesMethods[StreamedCall, StreamedCall, StreamedCall, StreamedCall]


class AsyncFiles(
    AsyncResource, FilesMethods[Awaited[FileObject], AsyncPaginator[FileObject], Awaited[FileDeleted], Awaited[BinaryReply]]
):
    """``client.files``."""

    _prefix = "files."
    if TYPE_CHECKING:
        with_raw_response: FilesMethods[
            Awaited[RawResponse[FileObject]],
            Awaited[RawResponse[AsyncCursorPage[FileObject]]],
            Awaited[RawResponse[FileDeleted]],
            Awaited[RawResponse[BinaryReply]],
        ]
        with_streaming_response: FilesMethods[AsyncStreamedCall, AsyncStreamedCall, AsyncStreamedCall, AsyncStreamedCall]

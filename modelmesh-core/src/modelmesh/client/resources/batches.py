"""``client.batches``: batches of requests, which an account runs within a day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypedDict, TypeVar, Unpack

from modelmesh.client.pages import AsyncCursorPage, AsyncPaginator, CursorPage
from modelmesh.client.parameters import CallExtras
from modelmesh.client.replies import Reply
from modelmesh.client.resources.resource import AsyncResource, Awaited, SyncResource, method
from modelmesh.client.shapes.files import Batch

if TYPE_CHECKING:
    from modelmesh.client.raw import AsyncStreamedCall, RawResponse, StreamedCall

ReplyT_co = TypeVar("ReplyT_co", covariant=True)
BatchT = TypeVar("BatchT")
PageT = TypeVar("PageT")


class _RequiredOfBatches(TypedDict):
    input_file_id: str
    endpoint: str
    completion_window: str


class BatchParameters(_RequiredOfBatches, CallExtras, total=False):
    """Parameters of ``batches.create``."""

    metadata: Mapping[str, str] | None
    output_expires_after: Mapping[str, Any] | None


class BatchListParameters(CallExtras, total=False):
    """Parameters of ``batches.list``."""

    after: str | None
    limit: int | None


class BatchesCreate(Protocol[ReplyT_co]):
    """Signature of ``batches.create``."""

    def __call__(self, **parameters: Unpack[BatchParameters]) -> ReplyT_co:
        """Start a batch. The account of ``input_file_id`` runs it.

        Returns:
            The batch, with its ID.

        Raises:
            AllProvidersExhaustedError: The account did not answer.
            BadRequestError: The request itself is wrong. Nothing was sent.
            ConfigurationError: No account serves the operation, or several do and the request names none.
        """
        ...


class BatchesList(Protocol[ReplyT_co]):
    """Signature of ``batches.list``."""

    def __call__(self, **parameters: Unpack[BatchListParameters]) -> ReplyT_co:
        """List the batches of an account.

        Returns:
            A page. Iteration continues on the next pages.

        Raises:
            AllProvidersExhaustedError: The account did not answer.
            BadRequestError: The request itself is wrong. Nothing was sent.
            ConfigurationError: No account serves the operation, or several do and the request names none.
        """
        ...


class BatchesById(Protocol[ReplyT_co]):
    """Signature of ``batches.retrieve`` and ``batches.cancel``."""

    def __call__(self, batch_id: str, **parameters: Unpack[CallExtras]) -> ReplyT_co:
        """Read or cancel a batch.

        Returns:
            The batch.

        Raises:
            AllProvidersExhaustedError: The account did not answer.
            BadRequestError: The request itself is wrong. Nothing was sent.
            ConfigurationError: No account serves the operation, or several do and the request names none.
        """
        ...


class BatchesMethods(Generic[BatchT, PageT]):
    """Methods of ``client.batches``."""

    create: BatchesCreate[BatchT] = method("batches.create", BatchesCreate, BatchParameters, reply=Batch)
    list: BatchesList[PageT] = method("batches.list", BatchesList, BatchListParameters, reply=Reply, page=Batch)
    retrieve: BatchesById[BatchT] = method("batches.retrieve", BatchesById, CallExtras, reply=Batch)
    cancel: BatchesById[BatchT] = method("batches.cancel", BatchesById, CallExtras, reply=Batch)


class Batches(SyncResource, BatchesMethods[Batch, CursorPage[Batch]]):
    """``client.batches``."""

    _prefix = "batches."
    if TYPE_CHECKING:
        with_raw_response: BatchesMethods[RawResponse[Batch], RawResponse[CursorPage[Batch]]]
        with_streaming_response: BatchesMethods[StreamedCall, StreamedCall]


class AsyncBatches(AsyncResource, BatchesMethods[Awaited[Batch], AsyncPaginator[Batch]]):
    """``client.batches``."""

    _prefix = "batches."
    if TYPE_CHECKING:
        with_raw_response: BatchesMethods[Awaited[RawResponse[Batch]], Awaited[RawResponse[AsyncCursorPage[Batch]]]]
        with_streaming_response: BatchesMethods[AsyncStreamedCall, AsyncStreamedCall]

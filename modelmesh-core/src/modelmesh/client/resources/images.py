"""``client.images``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypedDict, TypeVar, Unpack, overload

from modelmesh.client.parameters import CallExtras
from modelmesh.client.resources.resource import AsyncResource, Awaited, SyncResource, method
from modelmesh.client.shapes.images import ImageEvent, ImagesResponse
from modelmesh.client.streams import AsyncStream, Stream
from modelmesh.contracts.operations import IMAGE_EDITS, IMAGES

if TYPE_CHECKING:
    from modelmesh._engine.mesh.file_arguments import FileParam
    from modelmesh.client.raw import AsyncStreamedCall, RawResponse, StreamedCall

ReplyT_co = TypeVar("ReplyT_co", covariant=True)
StreamT_co = TypeVar("StreamT_co", covariant=True)
ReplyT = TypeVar("ReplyT")
StreamT = TypeVar("StreamT")


class _RequiredOfImages(TypedDict):
    prompt: str


class ImageParameters(_RequiredOfImages, CallExtras, total=False):
    """Parameters of ``images.generate``, except ``stream``."""

    background: str | None
    complexity: str | None
    frame_count: int | None
    frame_duration_ms: int | None
    model: str | None
    moderation: str | None
    n: int | None
    output_compression: int | None
    output_format: str | None
    partial_images: int | None
    quality: str | None
    response_format: Literal["url", "b64_json"] | None
    safety_identifier: str | None
    size: str | None
    style: str | None
    svg: Mapping[str, Any] | None
    user: str | None


class _RequiredOfImageEdits(TypedDict):
    image: FileParam | list[FileParam]
    prompt: str


class ImageEditParameters(_RequiredOfImageEdits, CallExtras, total=False):
    """Parameters of ``images.edit``, except ``stream``."""

    background: str | None
    complexity: str | None
    frame_count: int | None
    frame_duration_ms: int | None
    input_fidelity: str | None
    markup: FileParam | None
    mask: FileParam | None
    model: str | None
    n: int | None
    output_compression: int | None
    output_format: str | None
    partial_images: int | None
    quality: str | None
    response_format: Literal["url", "b64_json"] | None
    safety_identifier: str | None
    size: str | None
    svg: Mapping[str, Any] | None
    user: str | None


class ImagesGenerate(Protocol[ReplyT_co, StreamT_co]):
    """Signature of ``images.generate``: a reply, a stream with ``stream=True``, either of them with a ``bool``."""

    @overload
    def __call__(self, *, stream: Literal[False] | None = None, **parameters: Unpack[ImageParameters]) -> ReplyT_co: ...

    @overload
    def __call__(self, *, stream: Literal[True], **parameters: Unpack[ImageParameters]) -> StreamT_co: ...

    @overload
    def __call__(self, *, stream: bool | None, **parameters: Unpack[ImageParameters]) -> ReplyT_co | StreamT_co: ...

    def __call__(self, **parameters: Any) -> Any:
        """Generate images. Without ``model``, the pool ``text-to-image`` serves the request.

        Returns:
            ``data[i].url`` or ``data[i].b64_json``, or a stream of events with ``stream=True``.

        Raises:
            AllProvidersExhaustedError: Every attempt failed.
            NoActiveModelError: No model is eligible and available.
            BadRequestError: The request itself is wrong. Nothing was sent.
            CapabilityNotFoundError: No pool serves ``model``.
        """
        ...


class ImagesEdit(Protocol[ReplyT_co, StreamT_co]):
    """Signature of ``images.edit``: a reply, a stream with ``stream=True``, either of them with a ``bool``."""

    @overload
    def __call__(self, *, stream: Literal[False] | None = None, **parameters: Unpack[ImageEditParameters]) -> ReplyT_co: ...

    @overload
    def __call__(self, *, stream: Literal[True], **parameters: Unpack[ImageEditParameters]) -> StreamT_co: ...

    @overload
    def __call__(self, *, stream: bool | None, **parameters: Unpack[ImageEditParameters]) -> ReplyT_co | StreamT_co: ...

    def __call__(self, **parameters: Any) -> Any:
        """Edit one image or several. Without ``model``, the pool ``image-to-image`` serves the request.

        Returns:
            ``data[i].url`` or ``data[i].b64_json``, or a stream of events with ``stream=True``.

        Raises:
            AllProvidersExhaustedError: Every attempt failed.
            NoActiveModelError: No model is eligible and available.
            BadRequestError: The request itself is wrong. Nothing was sent.
            CapabilityNotFoundError: No pool serves ``model``.
        """
        ...


class ImagesMethods(Generic[ReplyT, StreamT]):
    """Methods of ``client.images``."""

    generate: ImagesGenerate[ReplyT, StreamT] = method(
        IMAGES, ImagesGenerate, ImageParameters, reply=ImagesResponse, item=ImageEvent
    )
    edit: ImagesEdit[ReplyT, StreamT] = method(
        IMAGE_EDITS, ImagesEdit, ImageEditParameters, reply=ImagesResponse, item=ImageEvent
    )


class Images(SyncResource, ImagesMethods[ImagesResponse, Stream[ImageEvent]]):
    """``client.images``."""

    _prefix = "images."
    if TYPE_CHECKING:
        with_raw_response: ImagesMethods[RawResponse[ImagesResponse], RawResponse[Stream[ImageEvent]]]
        with_streaming_response: ImagesMethods[StreamedCall, StreamedCall]


class AsyncImages(AsyncResource, ImagesMethods[Awaited[ImagesResponse], Awaited[AsyncStream[ImageEvent]]]):
    """``client.images``."""

    _prefix = "images."
    if TYPE_CHECKING:
        with_raw_response: ImagesMethods[Awaited[RawResponse[ImagesResponse]], Awaited[RawResponse[AsyncStream[ImageEvent]]]]
        with_streaming_response: ImagesMethods[AsyncStreamedCall, AsyncStreamedCall]

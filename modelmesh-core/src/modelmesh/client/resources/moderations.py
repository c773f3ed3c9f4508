"""``client.moderations``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypedDict, TypeVar, Unpack

from modelmesh.client.parameters import CallExtras
from modelmesh.client.resources.resource import AsyncResource, Awaited, SyncResource, method
from modelmesh.client.shapes.moderations import ModerationCreateResponse
from modelmesh.contracts.operations import MODERATIONS

if TYPE_CHECKING:
    from modelmesh.client.raw import AsyncStreamedCall, RawResponse, StreamedCall

ReplyT_co = TypeVar("ReplyT_co", covariant=True)
ReplyT = TypeVar("ReplyT")


class _RequiredOfModerations(TypedDict):
    input: str | Sequence[str] | Iterable[Mapping[str, Any]]


class ModerationParameters(_RequiredOfModerations, CallExtras, total=False):
    """Parameters of ``moderations.create``."""

    model: str | None


class ModerationsCreate(Protocol[ReplyT_co]):
    """Signature of ``moderations.create``."""

    def __call__(self, **parameters: Unpack[ModerationParameters]) -> ReplyT_co:
        """Classify texts and images. Without ``model``, the pool ``content-moderation`` serves the request.

        Returns:
            ``results[i]`` belongs to the i-th input.

        Raises:
            AllProvidersExhaustedError: Every attempt failed.
            NoActiveModelError: No model is eligible and available.
            BadRequestError: The request itself is wrong. Nothing was sent.
            CapabilityNotFoundError: No pool serves ``model``.
        """
        ...


class ModerationsMethods(Generic[ReplyT]):
    """Methods of ``client.moderations``."""

    create: ModerationsCreate[ReplyT] = method(
        MODERATIONS, ModerationsCreate, ModerationParameters, reply=ModerationCreateResponse
    )


class Moderations(SyncResource, ModerationsMethods[ModerationCreateResponse]):
    """``client.moderations``."""

    _prefix = "moderations."
    if TYPE_CHECKING:
        with_raw_response: ModerationsMethods[RawResponse[ModerationCreateResponse]]
        with_streaming_response: ModerationsMethods[StreamedCall]


class AsyncModerations(AsyncResource, ModerationsMethods[Awaited[ModerationCreateResponse]]):
    """``client.moderations``."""

    _prefix = "moderations."
    if TYPE_CHECKING:
        with_raw_response: ModerationsMethods[Awaited[RawResponse[ModerationCreateResponse]]]
        with_streaming_response: ModerationsMethods[AsyncStreamedCall]

"""What a provider connector implements.

A wire connector does not implement this by hand: ``modelmesh_cdk.BaseProvider`` does, over hooks that encode a call,
decode an answer and classify a failure. A provider that is no HTTP API (a model in process) implements ``send`` and
``asend`` directly.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from attrs import define, field

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call, Limits
    from modelmesh.contracts.models import ModelInfo
    from modelmesh.contracts.rate_limits import RateLimit

REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-amzn-requestid", "cf-ray")
"""Response headers that hold a vendor's request ID, the most telling first."""


@define
class Answer:
    """A whole answer.

    Attributes:
        body: The answer in OpenAI's shape; what the vendor sent beyond it is still there. ``bytes`` for audio.
        headers: Response headers, names in lower case.
        adapted: What was dropped or renamed for this vendor, one line each.
        rate_limits: What the vendor reports of its rate limits with this answer, one row a kind. A stream may have the same
            attribute.
    """

    body: Any
    headers: Mapping[str, str] = field(factory=dict)
    adapted: Sequence[str] = ()
    rate_limits: Sequence[RateLimit] = ()


class EventStream(Protocol):
    """An open stream of answer chunks in OpenAI's shape, to be read by one thread at a time.

    It may have a method ``expire_in(seconds)`` as well, after which reading it ends within that time. Then what has already
    arrived of a stream that its caller leaves is read and counted; else only what the caller received is.
    """

    headers: Mapping[str, str]
    adapted: Sequence[str]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield chunks; raise :class:`~modelmesh.errors.ProviderError` when the stream breaks."""
        ...

    def commit(self) -> None:
        """Hear that content has arrived: the first-content limit no longer applies."""
        ...

    def close(self) -> None:
        """Close the connection, read to its end or not. May be called twice."""
        ...


class AsyncEventStream(Protocol):
    """The same for asyncio."""

    headers: Mapping[str, str]
    adapted: Sequence[str]

    def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        """Yield chunks; raise :class:`~modelmesh.errors.ProviderError` when the stream breaks."""
        ...

    def commit(self) -> None:
        """Hear that content has arrived: the first-content limit no longer applies."""
        ...

    async def aclose(self) -> None:
        """Close the connection, read to its end or not. May be called twice."""
        ...


@runtime_checkable
class Probing(Protocol):
    """What a provider has beside :class:`Provider` when it can be asked whether it is up without a request being made.

    Asked in a thread of the mesh's own, never in a request: at the start with ``recovery.probe_on_start``, and every
    ``recovery.probe_interval`` while the account is off. It must cost nothing and take no place of a model's: asking for the
    list of models is usual.
    """

    def probe(self, limits: Limits) -> None:
        """Ask once; return when the vendor answered and took the key.

        Raises:
            ProviderError: It did not; ``failure`` says how.
        """
        ...


@runtime_checkable
class ListsModels(Protocol):
    """What a provider has beside :class:`Provider` when its vendor can be asked which models there are now.

    Asked in a thread of a discovery connector's, never in a request.
    """

    def discover_models(self, limits: Limits | None = None) -> Sequence[ModelInfo]:
        """Ask the vendor for its models.

        Args:
            limits: Seconds that it may take, over all pages of the list; ``None`` leaves it to the provider.

        Returns:
            A row for each model that the vendor lists now: that of :meth:`Provider.models` where it has one, else what the
            vendor states. A model without ``capabilities`` is one of which the vendor does not state them.

        Raises:
            ProviderError: There was no list, or the vendor publishes none; ``failure`` says how.
        """
        ...


@runtime_checkable
class Provider(Protocol):
    """One configured account at one vendor."""

    id: str

    def models(self) -> Sequence[ModelInfo]:
        """Return the catalogue. May ask the vendor when nothing else is known.

        Raises:
            ProviderInitError: The vendor was asked and did not answer.
        """
        ...

    def send(self, call: Call, model: str, limits: Limits) -> Answer | EventStream:
        """Serve one attempt.

        Args:
            call: The request; never changed.
            model: The vendor's name of the model.
            limits: Seconds that the attempt may take.

        Returns:
            A whole answer, or an open stream when ``call.stream``.

        Raises:
            ProviderError: The attempt failed; ``failure`` says how.
        """
        ...

    async def asend(self, call: Call, model: str, limits: Limits) -> Answer | AsyncEventStream:
        """Serve one attempt without blocking the event loop; otherwise as :meth:`send`."""
        ...

    def close(self) -> None:
        """Release what the provider holds. May be called twice."""
        ...

    async def aclose(self) -> None:
        """Release what the provider holds in this event loop. May be called twice."""
        ...

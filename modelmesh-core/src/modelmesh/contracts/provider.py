"""Contract of provider connectors.

``modelmesh_cdk.BaseProvider`` implements it for HTTP APIs, with hooks that encode a call, decode an answer and classify a
failure. Other providers, such as a model in the process, implement ``send`` and ``asend`` directly.
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
"""Response headers with a vendor's request ID, the most specific first."""


@define
class Answer:
    """A complete answer.

    Attributes:
        body: The answer in OpenAI's format, with every further field of the vendor. ``bytes`` for audio, ``str`` for a
            transcription as text or subtitles.
        headers: Response headers, names in lower case.
        adapted: Parameters that were dropped, renamed or converted for this vendor, one line each.
        rate_limits: Rate limits that the vendor reports with this answer, one row for each kind. A stream may have the same
            attribute.
        vectors_checked: Whether the connector checked that every embedding of the body is a list of finite floats. The mesh then
            does not read each number again.
        raw: The vendor's JSON that ``body`` was decoded from, where ``body`` contains all of it unchanged. A call with
            :attr:`.Call.relay` may have it. ``None`` otherwise.
    """

    body: Any
    headers: Mapping[str, str] = field(factory=dict)
    adapted: Sequence[str] = ()
    rate_limits: Sequence[RateLimit] = ()
    vectors_checked: bool = False
    raw: bytes | None = field(default=None, repr=False)


class EventStream(Protocol):
    """An open stream of items in OpenAI's format, of the kind :attr:`.Call.stream_kind`. One thread at a time reads it.

    An optional method ``expire_in(seconds)`` limits the rest of the stream to that time. With it, the mesh reads and counts the
    chunks that have arrived when the caller leaves a stream. Without it, only the chunks that the caller received count.
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
    """Optional contract of a provider: a health check that is not a request to a model.

    The mesh probes in its own thread, never during a request: at the start with ``recovery.probe_on_start``, and every
    ``recovery.probe_interval`` while the account is unavailable. A probe must be free of charge and must not use the concurrency
    of a model. Most connectors request the model list.
    """

    def probe(self, limits: Limits) -> None:
        """Probe the vendor once. Return when it answered and accepted the key.

        Raises:
            ProviderError: The vendor is unavailable or rejected the key. ``failure`` is the class.
        """
        ...


@runtime_checkable
class ListsModels(Protocol):
    """Optional contract of a provider: the vendor's current model list.

    A discovery connector reads the list in its own thread, never during a request.
    """

    def discover_models(self, limits: Limits | None = None) -> Sequence[ModelInfo]:
        """Read the vendor's model list.

        Args:
            limits: Seconds that all pages of the list may take. ``None`` for the provider's default.

        Returns:
            A row for each listed model: that of :meth:`Provider.models` where it has one, else the facts that the vendor
            states. ``capabilities`` are empty where the vendor does not state them.

        Raises:
            ProviderError: There is no list. ``failure`` is the class.
        """
        ...


@runtime_checkable
class Provider(Protocol):
    """One configured account at one vendor.

    An optional attribute ``native_operations`` contains the names of the operations that the vendor serves in their own format:
    of the operations that translate (``responses``, ``completions``, ``messages``) and of those of an account (``files.create``).
    Without it, the mesh translates the former and does not send the latter.
    """

    id: str

    def models(self) -> Sequence[ModelInfo]:
        """Return the model catalogue. A provider without a catalogue may read the vendor's list.

        Raises:
            ProviderInitError: The vendor did not return a list.
        """
        ...

    def send(self, call: Call, model: str, limits: Limits) -> Answer | EventStream:
        """Serve one attempt.

        Args:
            call: The request. A provider must not change it.
            model: The vendor's name of the model.
            limits: Seconds that the attempt may take.

        Returns:
            A complete answer, or an open stream when ``call.stream`` is set.

        Raises:
            ProviderError: The attempt failed. ``failure`` is the class.
        """
        ...

    async def asend(self, call: Call, model: str, limits: Limits) -> Answer | AsyncEventStream:
        """Serve one attempt without blocking the event loop. Otherwise like :meth:`send`."""
        ...

    def close(self) -> None:
        """Release the provider's resources. May be called twice."""
        ...

    async def aclose(self) -> None:
        """Release the provider's resources of this event loop. May be called twice."""
        ...

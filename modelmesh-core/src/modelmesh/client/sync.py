"""Resources of the synchronous client: ``chat.completions``, ``embeddings`` and ``models``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from modelmesh.client.arguments import make_call
from modelmesh.client.build_reply import build_reply
from modelmesh.client.defaults import NO_DEFAULTS, Defaults
from modelmesh.client.model_cards import list_cards, retrieve_card
from modelmesh.client.raw import Raw, Streaming
from modelmesh.client.replies import ChatCompletion, CreateEmbeddingResponse
from modelmesh.client.shapes import ModelCard, ModelList
from modelmesh.client.streams import Stream
from modelmesh.client.unbuilt import Unbuilt
from modelmesh.contracts.operations import CHAT, EMBEDDINGS

if TYPE_CHECKING:
    from modelmesh._engine.mesh import MeshEngine
    from modelmesh._engine.mesh.requests import RequestServer
    from modelmesh.client.parameters import ChatParameters, EmbeddingParameters


class Completions(Unbuilt):
    """``client.chat.completions``."""

    _below = "chat.completions."

    def __init__(self, requests: RequestServer, defaults: Defaults = NO_DEFAULTS) -> None:
        self._requests = requests
        self._defaults = defaults

    @overload
    def create(self, *, stream: Literal[False] | None = None, **arguments: Unpack[ChatParameters]) -> ChatCompletion: ...

    @overload
    def create(self, *, stream: Literal[True], **arguments: Unpack[ChatParameters]) -> Stream: ...

    @overload
    def create(self, *, stream: bool, **arguments: Unpack[ChatParameters]) -> ChatCompletion | Stream: ...

    def create(self, **arguments: Any) -> Any:
        """Request a chat completion.

        Args:
            **arguments: Every parameter of OpenAI's endpoint; those that this version does not know travel on as they
                are. ``model`` is a pool or capability. Also accepted: ``extra_headers``, ``extra_query``, ``extra_body``,
                ``timeout`` (seconds, over all attempts), ``session_id``, ``preferred_provider`` and ``only_providers``.

        Returns:
            A :class:`ChatCompletion`, or a :class:`Stream` of chunks with ``stream=True``.

        Raises:
            AllProvidersExhaustedError: Every attempt failed.
            NoActiveModelError: No model is eligible and available.
            BadRequestError: The request itself is wrong.
            CapabilityNotFoundError: No pool serves ``model``.
        """
        requests = self._requests
        call = make_call(CHAT, self._defaults.under(arguments))
        served = requests.serve(call)
        if call.stream:
            return Stream(requests, call, served)
        return build_reply(ChatCompletion, served, call, requests.clock)

    @property
    def with_raw_response(self) -> Raw[Any]:
        """The same with the response headers, for callers of the official SDK's raw interface."""
        return Raw(self.create)

    @property
    def with_streaming_response(self) -> Streaming:
        """The same as a context manager, for callers of the official SDK's streaming interface."""
        return Streaming(self.create)


class Embeddings:
    """``client.embeddings``."""

    def __init__(self, requests: RequestServer, defaults: Defaults = NO_DEFAULTS) -> None:
        self._requests = requests
        self._defaults = defaults

    def create(self, **arguments: Unpack[EmbeddingParameters]) -> CreateEmbeddingResponse:
        """Turn texts into vectors.

        Args:
            **arguments: Every parameter of OpenAI's endpoint: ``model`` (a pool or capability), ``input`` (a text or a
                list of texts), ``encoding_format``, ``dimensions`` …, and the extras of chat completions.

        Returns:
            ``data[i].embedding`` is the vector of the i-th text.

        Raises:
            AllProvidersExhaustedError: Every attempt failed.
            NoActiveModelError: No model is eligible and available.
            BadRequestError: The request itself is wrong.
            CapabilityNotFoundError: No pool serves ``model``.
        """
        call = make_call(EMBEDDINGS, self._defaults.under(arguments))
        requests = self._requests
        return build_reply(CreateEmbeddingResponse, requests.serve(call), call, requests.clock)

    def __repr__(self) -> str:
        return "<client.embeddings>"

    @property
    def with_raw_response(self) -> Raw[CreateEmbeddingResponse]:
        """The same with the response headers, for callers of the official SDK's raw interface."""
        return Raw(self.create)

    @property
    def with_streaming_response(self) -> Streaming:
        """The same as a context manager, for callers of the official SDK's streaming interface."""
        return Streaming(self.create)


class Chat:
    """``client.chat``."""

    def __init__(self, requests: RequestServer, defaults: Defaults = NO_DEFAULTS) -> None:
        self.completions = Completions(requests, defaults)

    def __repr__(self) -> str:
        return "<client.chat: completions>"


class Models(Unbuilt):
    """``client.models``."""

    _below = "models."

    def __init__(self, mesh: MeshEngine) -> None:
        self._mesh = mesh

    def list(self, **_: Any) -> ModelList:
        """Return every real model of every pool."""
        return list_cards(self._mesh)

    def retrieve(self, model: str, **_: Any) -> ModelCard:
        """Return one real model.

        Raises:
            CapabilityNotFoundError: No pool has it.
        """
        return retrieve_card(self._mesh, model)

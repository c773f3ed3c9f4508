"""Resources of the synchronous client: ``chat.completions``, ``embeddings`` and ``models``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelmesh.client.arguments import make_call
from modelmesh.client.build_reply import build_reply
from modelmesh.client.defaults import NO_DEFAULTS, Defaults
from modelmesh.client.model_cards import list_cards, retrieve_card
from modelmesh.client.raw import Raw, RawResponse, StreamedCall, Streaming
from modelmesh.client.replies import ChatCompletion, CreateEmbeddingResponse
from modelmesh.client.shapes import ChatCompletionChunk, ModelCard, ModelList
from modelmesh.client.signatures import ChatCreate, EmbeddingsCreate, typed_as
from modelmesh.client.streams import Stream
from modelmesh.client.unsupported import UnsupportedApi
from modelmesh.contracts.operations import CHAT, EMBEDDINGS

if TYPE_CHECKING:
    from modelmesh._engine.mesh import MeshEngine
    from modelmesh._engine.mesh.requests import RequestServer


class Completions(UnsupportedApi):
    """``client.chat.completions``."""

    _prefix = "chat.completions."

    def __init__(self, requests: RequestServer, defaults: Defaults = NO_DEFAULTS) -> None:
        self._requests = requests
        self._defaults = defaults

    def _create(self, **arguments: Any) -> ChatCompletion | Stream[ChatCompletionChunk]:
        """Implement :class:`ChatCreate`."""
        requests, defaults = self._requests, self._defaults
        call = make_call(CHAT, defaults.under(arguments), strict=defaults.strict_parameters)
        served = requests.serve(call)
        if call.stream:
            return Stream(ChatCompletionChunk, requests, call, served)
        return build_reply(ChatCompletion, served, call, requests.clock)

    create: ChatCreate[ChatCompletion, Stream[ChatCompletionChunk]] = typed_as(ChatCreate, _create)

    @property
    def with_raw_response(self) -> Raw[ChatCreate[RawResponse[ChatCompletion], RawResponse[Stream[ChatCompletionChunk]]]]:
        """This resource with response headers, as in the official SDK."""
        return Raw(self.create)

    @property
    def with_streaming_response(self) -> Streaming[ChatCreate[StreamedCall, StreamedCall]]:
        """This resource with context managers, as in the official SDK."""
        return Streaming(self.create)


class Embeddings:
    """``client.embeddings``."""

    def __init__(self, requests: RequestServer, defaults: Defaults = NO_DEFAULTS) -> None:
        self._requests = requests
        self._defaults = defaults

    def _create(self, **arguments: Any) -> CreateEmbeddingResponse:
        """Implement :class:`EmbeddingsCreate`."""
        requests, defaults = self._requests, self._defaults
        call = make_call(EMBEDDINGS, defaults.under(arguments), strict=defaults.strict_parameters)
        return build_reply(CreateEmbeddingResponse, requests.serve(call), call, requests.clock)

    create: EmbeddingsCreate[CreateEmbeddingResponse] = typed_as(EmbeddingsCreate, _create)

    def __repr__(self) -> str:
        return "<client.embeddings>"

    @property
    def with_raw_response(self) -> Raw[EmbeddingsCreate[RawResponse[CreateEmbeddingResponse]]]:
        """This resource with response headers, as in the official SDK."""
        return Raw(self.create)

    @property
    def with_streaming_response(self) -> Streaming[EmbeddingsCreate[StreamedCall]]:
        """This resource with context managers, as in the official SDK."""
        return Streaming(self.create)


class Chat:
    """``client.chat``."""

    def __init__(self, requests: RequestServer, defaults: Defaults = NO_DEFAULTS) -> None:
        self.completions = Completions(requests, defaults)

    def __repr__(self) -> str:
        return "<client.chat: completions>"


class Models(UnsupportedApi):
    """``client.models``."""

    _prefix = "models."

    def __init__(self, mesh: MeshEngine) -> None:
        self._mesh = mesh

    def list(self, **_: Any) -> ModelList:
        """Return every real model of every pool."""
        return list_cards(self._mesh)

    def retrieve(self, model: str, **_: Any) -> ModelCard:
        """Return one real model.

        Raises:
            CapabilityNotFoundError: No pool has the model.
        """
        return retrieve_card(self._mesh, model)

"""``client.models``: the real models of the mesh. The mesh answers without a request to a vendor."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from typing import TYPE_CHECKING, Any

from modelmesh.client import model_cards, raw
from modelmesh.client.unsupported import UnsupportedApi

if TYPE_CHECKING:
    from modelmesh._engine.mesh import MeshEngine
    from modelmesh.client.shapes.models import ModelCard, ModelList


class Models(UnsupportedApi):
    """``client.models``."""

    _prefix = "models."
    _methods = ("list", "retrieve")

    @property
    def with_raw_response(self) -> Any:
        """This resource with empty response headers, as in the official SDK."""
        return raw.Raw(self)

    @property
    def with_streaming_response(self) -> Any:
        """This resource with context managers, as in the official SDK."""
        return raw.Streaming(self)

    def __init__(self, mesh: MeshEngine) -> None:
        """Create the resource of a client of this mesh."""
        self._mesh = mesh

    def list(self, **_: Any) -> ModelList:
        """Return every real model of every pool."""
        return model_cards.list_cards(self._mesh)

    def retrieve(self, model: str, **_: Any) -> ModelCard:
        """Return one real model.

        Raises:
            CapabilityNotFoundError: No pool has the model.
        """
        return model_cards.retrieve_card(self._mesh, model)


class ListedModels:
    """Result of ``list()`` of the asynchronous client: ``await`` returns the list, ``async for`` yields every model."""

    def __init__(self, mesh: MeshEngine) -> None:
        """Read the list with the first use."""
        self._mesh = mesh

    async def _read(self) -> ModelList:
        return model_cards.list_cards(self._mesh)

    def __await__(self) -> Generator[Any, None, ModelList]:
        return self._read().__await__()

    async def __aiter__(self) -> AsyncIterator[ModelCard]:
        for card in await self:
            yield card


class AsyncModels(UnsupportedApi):
    """``client.models``."""

    _prefix = "models."
    _methods = ("list", "retrieve")

    @property
    def with_raw_response(self) -> Any:
        """This resource with empty response headers, as in the official SDK."""
        return raw.AsyncRaw(self)

    @property
    def with_streaming_response(self) -> Any:
        """This resource with context managers, as in the official SDK."""
        return raw.AsyncStreaming(self)

    def __init__(self, mesh: MeshEngine) -> None:
        """Create the resource of a client of this mesh."""
        self._mesh = mesh

    def list(self, **_: Any) -> ListedModels:
        """Return every real model of every pool."""
        return ListedModels(self._mesh)

    async def retrieve(self, model: str, **_: Any) -> ModelCard:
        """Return one real model.

        Raises:
            CapabilityNotFoundError: No pool has the model.
        """
        return model_cards.retrieve_card(self._mesh, model)

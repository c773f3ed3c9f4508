"""Generation of one response: from the callbacks of the library to the items of a task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from modelmesh.contracts import Call, FailureClass
from modelmesh.errors import ModelMeshError
from modelmesh_cdk import provider_error
from modelmesh_connector_local.answers import ChunkConverter, ResponseBuilder
from modelmesh_connector_local.runtime import error_from_exception


class Generation:
    """One response of the library."""

    def __init__(self, call: Call, name: str, request: Mapping[str, Any]) -> None:
        """Prepare a generation.

        Args:
            call: The call.
            name: The model's name in the mesh.
            request: The request to the library.
        """
        self._request = dict(request)
        self._chunks = ChunkConverter(call, name)
        self._builder = None if call.stream else ResponseBuilder()
        self._emit: Callable[[Any], bool]
        self._fault: ModelMeshError | None = None
        self._stopped = False

    def run(self, server: Any, emit: Callable[[Any], bool]) -> None:
        """Generate the response in the engine's thread.

        Args:
            server: The loaded model.
            emit: Passes on a chunk, or the whole response. Returns whether to continue.

        Raises:
            ModelMeshError: The library rejected the request, or failed.
        """
        self._emit = emit
        try:
            server.handle_chat_completions(self._request, self._receive)
        except Exception as error:  # noqa: BLE001 - a native library may raise anything
            raise error_from_exception(error) from None
        if self._fault is not None:
            raise self._fault
        if not self._stopped:
            self._pass_on(self._chunks.finish())
        if self._builder is None or self._stopped:
            return
        if not self._builder.finished:
            raise provider_error(FailureClass.PROTOCOL, "the local model ended its response without a finish reason")
        emit(self._builder.body())

    def _receive(self, chunk: Any) -> bool:
        """Return whether to stop. The library calls this method for each token and each prompt batch."""
        try:
            chunks = self._chunks.take(chunk)
        except ModelMeshError as error:
            self._fault = error
            return True
        return not (self._pass_on(chunks) if chunks else self._go_on(None))

    def _pass_on(self, chunks: Sequence[dict[str, Any]]) -> bool:
        for chunk in chunks:
            if self._builder is not None:
                self._builder.add(chunk)
            if not self._go_on(chunk if self._builder is None else None):
                return False
        return True

    def _go_on(self, item: Any) -> bool:
        self._stopped = self._stopped or not self._emit(item)
        return not self._stopped

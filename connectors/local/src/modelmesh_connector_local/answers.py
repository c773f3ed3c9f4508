"""Conversion of the library's chunks to OpenAI's format, and assembly of a response from chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelmesh.contracts import Call
from modelmesh_connector_local.runtime import error_from_body


class ChunkConverter:
    """Conversion of one stream: role only in the first chunk, the model's name in the mesh, usage as requested."""

    def __init__(self, call: Call, name: str) -> None:
        """Read the stream options of the request.

        Args:
            call: The request.
            name: The model's name in the mesh.
        """
        options = call.payload.get("stream_options")
        self._usage_apart = isinstance(options, Mapping) and bool(options.get("include_usage"))
        self._shows_progress = bool(call.payload.get("return_progress"))
        self._name = name
        self._has_role = False
        self._finish: dict[str, Any] | None = None

    def take(self, chunk: Any) -> Sequence[dict[str, Any]]:
        """Return the chunks for the caller, none if the chunk is buffered.

        Raises:
            ProviderError: The chunk is an error.
        """
        if not isinstance(chunk, dict) or chunk.get("error"):
            raise error_from_body(chunk if isinstance(chunk, dict) else {"error": chunk})
        if "prompt_progress" in chunk and not self._shows_progress:
            return ()
        chunk["model"] = self._name
        choices = chunk.get("choices") or ()
        for choice in choices:
            delta = choice.setdefault("delta", {})
            if self._has_role:
                delta.pop("role", None)
        if choices:
            self._has_role = True
            if not self._usage_apart and choices[0].get("finish_reason") is not None:
                self._finish = chunk
                return ()
        elif self._finish is not None:
            finish, self._finish = self._finish, None
            finish |= {name: value for name, value in chunk.items() if name not in finish}
            return (finish,)
        return (chunk,)

    def finish(self) -> Sequence[dict[str, Any]]:
        """Return the chunks that are buffered until the end of the stream."""
        finish, self._finish = self._finish, None
        return () if finish is None else (finish,)


class ResponseBuilder:
    """Assembly of one response from its chunks."""

    def __init__(self) -> None:
        self._body: dict[str, Any] = {}
        self._choice: dict[str, Any] = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": None}

    def add(self, chunk: dict[str, Any]) -> None:
        """Add the next chunk."""
        self._body |= {name: value for name, value in chunk.items() if name not in ("choices", "object")}
        for choice in chunk.get("choices") or ():
            _join(self._choice["message"], choice.get("delta") or {})
            _join(self._choice, {name: value for name, value in choice.items() if name not in ("delta", "index")})

    @property
    def finished(self) -> bool:
        """Whether a chunk contained a finish reason."""
        return self._choice["finish_reason"] is not None

    def body(self) -> dict[str, Any]:
        """Return the response in OpenAI's format."""
        return {**self._body, "object": "chat.completion", "choices": [self._choice]}


def _join(into: dict[str, Any], piece: Mapping[str, Any]) -> None:
    """Add a piece: texts and lists are concatenated, mappings are merged recursively, other values are replaced."""
    for name, value in piece.items():
        known = into.get(name)
        if value is None:
            into.setdefault(name, None)
        elif isinstance(value, str) and isinstance(known, str) and name != "role":
            into[name] = known + value
        elif isinstance(value, list) and isinstance(known, list):
            into[name] = [*known, *value]
        elif isinstance(value, Mapping) and isinstance(known, dict):
            _join(known, value)
        else:
            into[name] = value

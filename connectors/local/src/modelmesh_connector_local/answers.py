"""From the library's chunks to those of OpenAI's format, and from chunks to a whole answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelmesh.contracts.call import Call
from modelmesh_connector_local.runtime import refused


class Chunks:
    """Puts one stream right: who speaks is said once, the model goes by its name, usage stands where it was asked for."""

    def __init__(self, call: Call, name: str) -> None:
        """Store the callbacks and facts of the request.

        Args:
            call: What was asked.
            name: The model's name in the mesh.
        """
        options = call.payload.get("stream_options")
        self._usage_apart = isinstance(options, Mapping) and bool(options.get("include_usage"))
        self._shows_progress = bool(call.payload.get("return_progress"))
        self._name = name
        self._spoke = False
        self._finish: dict[str, Any] | None = None

    def take(self, chunk: Any) -> Sequence[dict[str, Any]]:
        """Return what is to be handed on now.

        Raises:
            ProviderError: It is an error.
        """
        if not isinstance(chunk, dict) or chunk.get("error"):
            raise refused(chunk if isinstance(chunk, dict) else {"error": chunk})
        if "prompt_progress" in chunk and not self._shows_progress:
            return ()
        chunk["model"] = self._name
        choices = chunk.get("choices") or ()
        for choice in choices:
            delta = choice.setdefault("delta", {})
            if self._spoke:
                delta.pop("role", None)
        if choices:
            self._spoke = True
            if not self._usage_apart and choices[0].get("finish_reason") is not None:
                self._finish = chunk
                return ()
        elif self._finish is not None:
            finish, self._finish = self._finish, None
            finish |= {name: value for name, value in chunk.items() if name not in finish}
            return (finish,)
        return (chunk,)

    def rest(self) -> Sequence[dict[str, Any]]:
        """Return what is left when the stream has ended."""
        finish, self._finish = self._finish, None
        return () if finish is None else (finish,)


class Whole:
    """One answer, put together from its chunks."""

    def __init__(self) -> None:
        self._body: dict[str, Any] = {}
        self._choice: dict[str, Any] = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": None}

    def add(self, chunk: dict[str, Any]) -> None:
        """Take the next chunk."""
        self._body |= {name: value for name, value in chunk.items() if name not in ("choices", "object")}
        for choice in chunk.get("choices") or ():
            _join(self._choice["message"], choice.get("delta") or {})
            _join(self._choice, {name: value for name, value in choice.items() if name not in ("delta", "index")})

    @property
    def finished(self) -> bool:
        """Whether the model said why it stopped."""
        return self._choice["finish_reason"] is not None

    def body(self) -> dict[str, Any]:
        """Return the answer in OpenAI's format."""
        return {**self._body, "object": "chat.completion", "choices": [self._choice]}


def _join(into: dict[str, Any], piece: Mapping[str, Any]) -> None:
    """Add a piece: texts and lists grow, mappings are joined in turn, all else replaces what was there."""
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

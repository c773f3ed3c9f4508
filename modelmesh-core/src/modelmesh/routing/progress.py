"""How far a stream has come: whether it has shown content, whether it is complete, and what was said so far."""

from __future__ import annotations

from typing import Any

HOLD_EVENTS = 64
"""Events without content that are held back at most; then they are handed over, and the stream is committed."""


class Progress:
    """Reads chunks in OpenAI's shape as they pass; changes none of them."""

    __slots__ = ("_ended", "_open", "_seen", "_text", "_tools", "has_content", "usage")

    def __init__(self) -> None:
        self.has_content = False
        self.usage: dict[str, Any] | None = None
        self._text: list[str] = []
        self._tools: dict[tuple[int, int], dict[str, Any]] = {}
        self._open: set[int] = set()
        self._ended: set[int] = set()
        self._seen = False

    def feed(self, chunk: dict[str, Any]) -> None:
        """Take note of one chunk."""
        usage = chunk.get("usage")
        if usage:
            self.usage = usage
        for choice in chunk.get("choices") or ():
            get = choice.get
            index, delta = get("index", 0), get("delta")
            if delta:
                text = delta.get("content")
                if text:
                    self.has_content = True
                    if not index:
                        self._text.append(text)
                elif not self.has_content and _says_something(delta):
                    self.has_content = True
                tools = delta.get("tool_calls")
                if tools:
                    self._note_tools(index, tools)
            if get("finish_reason") is not None:
                self._open.discard(index)
                self._ended.add(index)
                self.has_content = True  # an answer may be empty; saying that it ended is content enough
            elif index not in self._ended or _says_something(delta):  # some vendors' last chunk, with usage, has an empty choice
                self._open.add(index)
            self._seen = True

    def _note_tools(self, index: int, tools: list[dict[str, Any]]) -> None:
        for part in tools:
            key = (index, part.get("index", 0))
            known = self._tools.get(key)
            if known is None:
                known = self._tools[key] = {"id": None, "type": "function", "function": {"name": "", "arguments": ""}}
            if part.get("id"):
                known["id"] = part["id"]
            function = part.get("function") or {}
            known["function"]["name"] += function.get("name") or ""
            known["function"]["arguments"] += function.get("arguments") or ""

    @property
    def complete(self) -> bool:
        """Whether every choice that began was given a finish reason."""
        return self._seen and not self._open

    @property
    def text(self) -> str:
        """The text of the first choice so far."""
        return "".join(self._text)

    @property
    def tool_calls(self) -> list[dict[str, Any]]:
        """Tool calls of the first choice so far; the arguments of the last may be cut."""
        return [call for (index, _), call in sorted(self._tools.items()) if index == 0]


def _says_something(delta: Any) -> bool:
    return bool(delta) and any(value for name, value in delta.items() if name != "role")

"""A conversation from OpenAI's messages to Anthropic's turns and its ``system``.

Anthropic's shapes are those of the anthropic package 2.11.0 (``message_param.py``, ``tool_result_block_param.py``, read
2026-11-21). It refuses empty text ("text content blocks must be non-empty", anthropics/anthropic-sdk-python#461, read
2026-11-21), which other vendors send beside tool calls; such text is left out of the assistant's turns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh_connector_anthropic.content import blocks_of, wrong
from modelmesh_connector_anthropic.tools import tool_id, tool_use

_RESULT_KEYS = ("is_error", "cache_control", "toolset_name")
_ASSISTANT_KEYS = frozenset(
    {
        "role", "content", "name", "tool_calls", "function_call", "refusal", "audio", "annotations",
        "thinking_blocks", "reasoning_content", "content_blocks",
    }
)  # fmt: skip
_THINKING = ("thinking", "redacted_thinking")


def conversation(payload: Mapping[str, Any], adapted: list[str]) -> tuple[Any, list[Any]]:
    """Return ``system``, ``None`` when there is none, and the turns.

    Raises:
        ProviderError: A message cannot be said in Anthropic's words.
    """
    talk = _Conversation(adapted)
    if payload.get("system") is not None:
        talk.system.append(payload["system"])
    for place, message in enumerate(payload.get("messages") or ()):
        talk.add(message, f"messages[{place}]")
    return talk.joined_system(), talk.turns


class _Conversation:
    def __init__(self, adapted: list[str]) -> None:
        self.adapted = adapted
        self.system: list[Any] = []
        self.turns: list[Any] = []
        self._results: list[Any] | None = None
        self._function_calls = 0

    def add(self, message: Any, where: str) -> None:
        if not isinstance(message, Mapping):
            raise wrong(where, f"is {type(message).__name__}, not a message", "{'role': 'user', 'content': '…'}")
        role = message.get("role")
        if role in ("tool", "function"):
            self._add_result(message, where, role)
            return
        self._results = None
        if role in ("system", "developer"):
            self._add_system(message, where)
        elif role == "assistant":
            self._add_assistant(message, where)
        else:
            self._add_user(message, where)

    # -- system -------------------------------------------------------------------------------------------------------

    def _add_system(self, message: Mapping[str, Any], where: str) -> None:
        content = message.get("content")
        self._drop_name(message)
        if self.turns:
            self.adapted.append(f"{where} ({message['role']}) moved to the top, where Anthropic's system is")
        if content in ("", []):
            self.adapted.append(f"{where} ({message['role']}) left out: it is empty")
        else:
            self.system.append(content if isinstance(content, str) else blocks_of(content, f"{where}.content", self.adapted))

    def joined_system(self) -> Any:
        if len(self.system) <= 1:
            return self.system[0] if self.system else None
        if all(isinstance(part, str) for part in self.system):
            return "\n\n".join(self.system)
        return [block for part in self.system for block in ([{"type": "text", "text": part}] if isinstance(part, str) else part)]

    # -- user and tools -----------------------------------------------------------------------------------------------

    def _add_user(self, message: Mapping[str, Any], where: str) -> None:
        content = message.get("content")
        self._drop_name(message)
        rest = {name: value for name, value in message.items() if name not in ("content", "name")}
        said = content if isinstance(content, str) else blocks_of(content, f"{where}.content", self.adapted)
        self.turns.append({**rest, "content": said})

    def _add_result(self, message: Mapping[str, Any], where: str, role: str) -> None:
        given = message.get("tool_call_id") if role == "tool" else f"function_call_{self._function_calls}"
        block: dict[str, Any] = {"type": "tool_result", "tool_use_id": tool_id(given, f"{where}.tool_call_id", self.adapted)}
        content = message.get("content")
        if content is not None:
            block["content"] = content if isinstance(content, str) else blocks_of(content, f"{where}.content", self.adapted)
        block |= {name: message[name] for name in _RESULT_KEYS if name in message}
        if self._results is None:  # all results of one turn's calls stand in one user turn
            self._results = []
            self.turns.append({"role": "user", "content": self._results})
        self._results.append(block)

    def _drop_name(self, message: Mapping[str, Any]) -> None:
        if message.get("name") is not None:
            self.adapted.append("name of a message dropped: Anthropic has no names of participants")

    # -- assistant ----------------------------------------------------------------------------------------------------

    def _add_assistant(self, message: Mapping[str, Any], where: str) -> None:
        self._drop_name(message)
        for name, value in message.items():
            if value and name not in _ASSISTANT_KEYS:
                self.adapted.append(f"{name} of an assistant message dropped: Anthropic has no such field")
        if message.get("audio"):
            self.adapted.append("audio of an assistant message dropped: Anthropic has no audio")
        native = message.get("content_blocks")
        if isinstance(native, list) and _agree(native, message):
            self._say(_sayable(native, self.adapted), where)
            return
        content = message.get("content")
        said = [] if content is None else blocks_of(content, f"{where}.content", self.adapted)
        if not said and message.get("refusal"):
            said = blocks_of(message["refusal"], f"{where}.refusal", self.adapted)
        thoughts = message.get("thinking_blocks")
        if isinstance(thoughts, list) and not any(_type(block) in _THINKING for block in said):
            said = [*(_as_sent(block) for block in thoughts), *said]
        said += self._calls(message, where)
        said = _sayable(said, self.adapted)
        if said == [{"type": "text", "text": content}]:
            self.turns.append({"role": "assistant", "content": content})
        else:
            self._say(said, where)

    def _calls(self, message: Mapping[str, Any], where: str) -> list[Any]:
        calls = message.get("tool_calls") or []
        if not isinstance(calls, list):
            what = f"is {type(calls).__name__}, not a list"
            raise wrong(where + ".tool_calls", what, "the calls of the answer as they came")
        found = [tool_use(call, f"{where}.tool_calls[{place}]", self.adapted) for place, call in enumerate(calls)]
        if isinstance(message.get("function_call"), Mapping):
            self._function_calls += 1
            call = {"id": f"function_call_{self._function_calls}", "function": message["function_call"]}
            found.append(tool_use(call, f"{where}.function_call", self.adapted))
        return found

    def _say(self, blocks: list[Any], where: str) -> None:
        if blocks:
            self.turns.append({"role": "assistant", "content": blocks})
        else:
            self.adapted.append(f"{where} (assistant) left out: it is empty")


def _type(block: Any) -> Any:
    return block.get("type") if isinstance(block, Mapping) else None


def _as_sent(thought: Any) -> Any:
    """Return a thought as Anthropic sent it; its deltas have an index in our stream."""
    return {name: value for name, value in thought.items() if name != "index"} if isinstance(thought, Mapping) else thought


def unthought(turns: list[Any]) -> bool:
    """Whether the turns end in results of tools that were called without a thought before, as by another vendor's model.

    A turn with tools has one configuration of thinking from its question to its answer, and with ``enabled`` its messages
    must begin with a thought (platform.claude.com thinking-tool-workflows; CopilotKit/CopilotKit#2191; read 2026-11-21).
    """
    last = next((turn for turn in reversed(turns) if turn.get("role") == "assistant"), None)
    blocks = last["content"] if last is not None and isinstance(last.get("content"), list) else []
    results = turns[-1].get("content") if turns and isinstance(turns[-1], Mapping) else None
    waiting = isinstance(results, list) and any(_type(block) == "tool_result" for block in results)
    return waiting and bool(blocks) and _type(blocks[0]) not in _THINKING


def _sayable(blocks: list[Any], adapted: list[str]) -> list[Any]:
    """Leave out what Anthropic would refuse the whole request for: empty text, and thoughts it did not sign."""
    found = []
    for block in blocks:
        kind = _type(block)
        if kind == "text" and block.get("text") == "":
            continue
        if kind in _THINKING and not block.get("signature" if kind == "thinking" else "data"):
            adapted.append("a thinking block without a signature left out")
            continue
        found.append(block)
    return found


def _agree(blocks: list[Any], message: Mapping[str, Any]) -> bool:
    """Whether blocks still say what the message says: a caller may have changed one and not the other."""
    text = "".join(block["text"] for block in blocks if _type(block) == "text" and isinstance(block.get("text"), str))
    called = [block.get("id") for block in blocks if _type(block) == "tool_use"]
    calls = [call.get("id") for call in message.get("tool_calls") or () if isinstance(call, Mapping)]
    return text == (message.get("content") or "") and called == calls

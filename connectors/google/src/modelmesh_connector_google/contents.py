"""Conversion of OpenAI's messages to Gemini's ``contents`` and ``systemInstruction``.

Gemini's formats are those of google-genai 3.4.0 (``types.Content``, ``types.Part``), read 2026-11-21. The messages obey
:data:`modelmesh_connector_google.message_rules.RULES` before this conversion. Gemini requires the
function's name in a result. OpenAI's tool message has none, so the name of its call is used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from modelmesh_cdk import invalid_parameter
from modelmesh_connector_google.answers import text_and_calls
from modelmesh_connector_google.content import parts_of, signature_of
from modelmesh_connector_google.message_rules import RULES
from modelmesh_connector_google.tools import call_part, result_part

UNSIGNED = "skip_thought_signature_validator"
"""Placeholder for the signature of another model's call. Gemini 3 and later reject a call without a signature
(Google's value, reported in jeremychone/rust-genai#115 and earendil-works/pi#1829, read 2026-11-21)."""

_UNSIGNED_MODELS = re.compile(r"gemini-(pro-|flash-)?[12](\D|$)|(?!gemini)")
"""Models that accept a call without a signature: models before Gemini 3, and other models than Gemini."""


def conversation(payload: Mapping[str, Any], model: str, adapted: list[str]) -> tuple[Any, list[Any]]:
    """Return ``systemInstruction``, ``None`` when there is none, and ``contents``.

    ``contents`` and ``systemInstruction`` of the caller precede the messages.

    Raises:
        ProviderError: Gemini's format cannot represent a message.
    """
    conversion = _Conversion(model, adapted)
    native = payload.get("systemInstruction", payload.get("system_instruction"))
    if isinstance(payload.get("contents"), list):
        conversion.before(payload["contents"])
    messages = payload.get("messages")
    if messages == [] and not conversion.turns:
        raise invalid_parameter("messages", "is empty", "[{'role': 'user', 'content': '…'}]")
    for place, message in enumerate(messages or ()):
        conversion.add(message, f"messages[{place}]")
    if not conversion.system:
        return native, conversion.turns
    if native is None:
        return {"parts": conversion.system}, conversion.turns
    if not isinstance(native, Mapping):
        return {"parts": [{"text": native}, *conversion.system]}, conversion.turns
    return {**native, "parts": [*(native.get("parts") or ()), *conversion.system]}, conversion.turns


class _Conversion:
    def __init__(self, model: str, adapted: list[str]) -> None:
        self.adapted = adapted
        self.system: list[Any] = []
        self.turns: list[Any] = []
        self._given = 0
        self._signed = _UNSIGNED_MODELS.match(model.removeprefix("models/")) is None
        self._results: list[Any] | None = None
        self._names: dict[Any, Any] = {}
        self._unnumbered: set[Any] = set()

    def before(self, contents: list[Any]) -> None:
        self.turns += contents
        self._given = len(contents)

    def add(self, message: Any, where: str) -> None:
        if not isinstance(message, Mapping):
            raise invalid_parameter(where, f"is {type(message).__name__}, not a message", "{'role': 'user', 'content': '…'}")
        role = message.get("role")
        if role == "tool":
            self._add_result(message, where)
            return
        self._results = None
        if role in ("system", "developer"):
            self._add_system(message, where)
        elif role == "assistant":
            self._add_assistant(message, where)
        else:
            self._add_user(message, where)

    def _add_system(self, message: Mapping[str, Any], where: str) -> None:
        parts = parts_of(message.get("content"), f"{where}.content", self.adapted)
        self.system += [part for part in parts if not _is_blank(part)]

    def _add_user(self, message: Mapping[str, Any], where: str) -> None:
        parts = [part for part in parts_of(message.get("content"), f"{where}.content", self.adapted) if not _is_blank(part)]
        if not parts:
            self.adapted.append(f"blank content sent as {RULES.placeholder!r}: Gemini rejects it ({where})")
        self._add_turn("user", parts or [{"text": RULES.placeholder}])

    def _add_turn(self, role: str, parts: list[Any]) -> None:
        """Add parts to the last turn if it has this role, else to a new turn. Results of tools get a separate turn."""
        last = self.turns[-1] if len(self.turns) > self._given else {}
        if last.get("role") == role and not any("functionResponse" in part for part in last["parts"]):
            last["parts"] = [*last["parts"], *parts]
        else:
            self.turns.append({"role": role, "parts": parts})

    def _add_result(self, message: Mapping[str, Any], where: str) -> None:
        given = message.get("tool_call_id")
        name = (self._names.get(given) if isinstance(given, str | None) else None) or message.get("name")
        if not isinstance(name, str) or not name:
            raise invalid_parameter(
                where, "is the result of a call that no earlier message makes", "the assistant's message with it first"
            )
        if self._results is None:  # one turn contains all results of a turn's calls
            self._results = []
            self.turns.append({"role": "user", "parts": self._results})
        part = result_part(message, name, where, self.adapted)
        if part["functionResponse"].get("id") in self._unnumbered:  # the ID is ours, and the call is sent without it
            del part["functionResponse"]["id"]
        self._results.append(part)

    # -- model turns --------------------------------------------------------------------------------------------------

    def _add_assistant(self, message: Mapping[str, Any], where: str) -> None:
        calls = self._calls(message, where)
        native = message.get("content_parts")
        if isinstance(native, list) and _parts_match_message(native, message, calls):
            self._add_turn("model", native)
            pairs = zip(calls, text_and_calls(native)[1], strict=True)
            self._unnumbered |= {ours["functionCall"].get("id") for ours, theirs in pairs if not theirs.get("id")}
            return
        content = message.get("content")
        parts = [] if content is None else parts_of(content, f"{where}.content", self.adapted)
        signature = signature_of(message)
        if signature is not None and parts and "thoughtSignature" not in parts[-1]:
            parts[-1] = {**parts[-1], "thoughtSignature": signature}
        parts = [part for part in parts if not _is_blank(part)] + self._signed_calls(calls, where)
        if parts:
            self._add_turn("model", parts)
        else:
            self.adapted.append(f"{where} (assistant) left out: it is empty")

    def _calls(self, message: Mapping[str, Any], where: str) -> list[Any]:
        calls = message.get("tool_calls") or []
        if not isinstance(calls, list):
            what = f"is {type(calls).__name__}, not a list"
            raise invalid_parameter(where + ".tool_calls", what, "the tool calls of the response, unchanged")
        found = [call_part(call, f"{where}.tool_calls[{place}]", self.adapted) for place, call in enumerate(calls)]
        called = [part["functionCall"] for part in found]
        self._names |= {call.get("id"): call["name"] for call in called if isinstance(call.get("id"), str | None)}
        return found

    def _signed_calls(self, calls: list[Any], where: str) -> list[Any]:
        if not calls or not self._signed or any("thoughtSignature" in part for part in calls):
            return calls
        self.adapted.append(f"{where}: a tool call without a thought signature, made by another model, sent with a placeholder")
        return [{**calls[0], "thoughtSignature": UNSIGNED}, *calls[1:]]  # Gemini signs the first call of a step


def _is_blank(part: Any) -> bool:
    return isinstance(part, Mapping) and part.keys() == {"text"} and not str(part["text"] or "").strip()


def _parts_match_message(parts: list[Any], message: Mapping[str, Any], calls: list[Any]) -> bool:
    """Return whether the parts match the message. A caller may have changed only one of them."""
    text, called = text_and_calls(parts)
    made = [(part["functionCall"]["name"], part["functionCall"]["args"]) for part in calls]
    return text == (message.get("content") or "") and made == [(call.get("name"), call.get("args") or {}) for call in called]

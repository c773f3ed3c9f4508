"""Token counts: estimates where a vendor reports no usage, or has not reported it yet.

A text of ``b`` UTF-8 bytes has at most ``b`` tokens with every byte-level tokenizer, about ``b / 4`` in English prose, and seldom
more than ``b / 2`` in code, JSON or Chinese.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import define

from modelmesh.contracts.call import Call, PromptSize

BYTES_PER_TOKEN = 4
"""Of English prose; what an estimate takes."""

PRUDENT_BYTES_PER_TOKEN = 2
"""Of code, JSON and Chinese; what decides whether a request is affordable."""

IMAGE_TOKENS, LARGEST_IMAGE_TOKENS = 1_000, 6_000
"""Of one image: a usual one, and one in the highest resolution."""

MESSAGE_TOKENS, PRUDENT_MESSAGE_TOKENS, MOST_MESSAGE_TOKENS = 4, 6, 16
"""Around each message: the role and the marks of its beginning and end."""

START_TOKENS, PRUDENT_START_TOKENS, MOST_START_TOKENS = 3, 6, 64
"""Around the whole conversation."""

TOOLS_TOKENS = 1_000
"""Of the instructions that a vendor may add to a request with tools, for the upper bound; half of it for the prudent count."""


def text_tokens(size: int) -> int:
    """Estimate the tokens of a text of this many bytes."""
    return -(-size // BYTES_PER_TOKEN)


def byte_size(text: str) -> int:
    """Return the bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def prompt_size(call: Call) -> PromptSize:
    """Estimate the tokens of a call's prompt; counted once for each call."""
    if call.prompt_size is None:
        call.prompt_size = _measured(call)
    return call.prompt_size


@define
class _Tally:
    size: int = 0
    tokens: int = 0
    images: int = 0
    messages: int = 0
    cached: bool = False

    def add(self, value: Any) -> None:
        """Count what is written of a value; an image counts by itself, whatever its size."""
        left = [value]
        while left:  # no recursion: neither a caller nor a vendor is held to any depth
            one = left.pop()
            if isinstance(one, str):
                self.size += byte_size(one)
            elif isinstance(one, Mapping):
                kind = one.get("type")
                if isinstance(kind, str) and kind in _IMAGES:
                    self.images += 1
                    continue
                self.cached = self.cached or "cache_control" in one
                left += [item for name, item in one.items() if name not in _SILENT]
            elif isinstance(one, list | tuple):
                left += one
            elif one is not None:
                self.size += len(str(one))


_IMAGES = frozenset({"image_url", "image", "input_image"})
_SILENT = frozenset({"role", "type", "cache_control"})


def _measured(call: Call) -> PromptSize:
    tally, payload = _Tally(), call.payload
    messages = payload.get("messages")
    if isinstance(messages, list):
        tally.messages = len(messages)
        tally.add(messages)
    tally.add(payload.get("system"))
    tally.add(payload.get("prompt"))
    described = [payload[name] for name in ("tools", "functions", "response_format") if payload.get(name)]
    for one in described:
        tally.size += len(json.dumps(one, default=str))
        tally.cached = tally.cached or "cache_control" in str(one)
    _add_embedded(tally, payload.get("input"))
    chat = bool(tally.messages)
    tools = TOOLS_TOKENS if payload.get("tools") or payload.get("functions") else 0
    return PromptSize(
        text_tokens(tally.size)
        + tally.tokens
        + tally.messages * MESSAGE_TOKENS
        + tally.images * IMAGE_TOKENS
        + (START_TOKENS if chat else 0),
        -(-tally.size // PRUDENT_BYTES_PER_TOKEN)
        + tally.tokens
        + tally.messages * PRUDENT_MESSAGE_TOKENS
        + tally.images * (IMAGE_TOKENS + LARGEST_IMAGE_TOKENS) // 2
        + (PRUDENT_START_TOKENS if chat else 0)
        + tools // 2,
        tally.size
        + tally.tokens
        + tally.messages * MOST_MESSAGE_TOKENS
        + tally.images * LARGEST_IMAGE_TOKENS
        + (MOST_START_TOKENS if chat else 0)
        + tools,
        tally.cached,
    )


def _add_embedded(tally: _Tally, texts: Any) -> None:
    """Count what is to be embedded: a text, tokens, or a list of either; each may have two tokens around it."""
    if isinstance(texts, str):
        tally.size += byte_size(texts)
        tally.tokens += 2
    elif isinstance(texts, list | tuple):
        for text in texts:
            if isinstance(text, int):
                tally.tokens += 1
            elif isinstance(text, list | tuple):
                tally.tokens += len(text)
            else:
                _add_embedded(tally, text)


OUTPUT_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens", "n_predict")
"""Parameters that limit an answer: OpenAI's, and the vendors' own that a caller may use in their place."""

NATIVE_SECTIONS = {"generationConfig": "maxOutputTokens", "generation_config": "max_output_tokens"}
"""The same inside a section of the body, as Gemini's API has it."""


def allowed_output(call: Call) -> int | None:
    """Return how many tokens an answer may have at most, ``None`` when the caller states no limit."""
    payload = call.payload
    stated = [payload.get(name) for name in OUTPUT_LIMITS]
    for section, name in NATIVE_SECTIONS.items():
        if isinstance(payload.get(section), Mapping):
            stated.append(payload[section].get(name))
    return min((most for most in stated if isinstance(most, int) and not isinstance(most, bool) and most >= 0), default=None)


def limited(payload: Mapping[str, Any], tokens: int) -> dict[str, Any]:
    """Return a body whose answer has at most this many tokens: every stated limit is lowered, or ``max_tokens`` is added."""
    names = [name for name in OUTPUT_LIMITS if payload.get(name) is not None]
    sections = [
        (section, name)
        for section, name in NATIVE_SECTIONS.items()
        if isinstance(payload.get(section), Mapping) and payload[section].get(name) is not None
    ]
    made = {**payload, **dict.fromkeys(names or ([] if sections else ["max_tokens"]), tokens)}
    for section, name in sections:
        made[section] = {**payload[section], name: tokens}
    return made


def answers_of(call: Call) -> int:
    """Return how many answers the call asks for; each is billed."""
    stated = call.payload.get("n")
    return stated if isinstance(stated, int) and not isinstance(stated, bool) and stated > 1 else 1


def answer_tokens(body: Any) -> int:
    """Estimate the tokens of a whole answer in OpenAI's shape from its text."""
    tally = _Tally()
    choices = body.get("choices") if isinstance(body, Mapping) else None
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, Mapping):
            tally.add(choice.get("message"))
    return text_tokens(tally.size)


class ReceivedOutput:
    """Estimates the tokens of a stream from what has arrived: a piece has at least one token."""

    __slots__ = ("_pieces", "_size", "unseen")

    def __init__(self) -> None:
        self._pieces = self._size = 0
        self.unseen = 0  # tokens that the vendor may have written after the stream was left

    def add(self, delta: Mapping[str, Any]) -> None:
        """Count the text, reasoning and tool arguments of one delta."""
        size = 0
        for name, value in delta.items():
            if value and name != "role":
                if isinstance(value, str):
                    size += byte_size(value)
                else:
                    tally = _Tally()
                    tally.add(value)
                    size += tally.size
        if size:
            self._pieces += 1
            self._size += size

    @property
    def tokens(self) -> int:
        """The estimate so far."""
        return max(text_tokens(self._size), self._pieces) + self.unseen

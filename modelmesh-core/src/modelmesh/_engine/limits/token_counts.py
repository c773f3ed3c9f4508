"""Estimated token counts, for requests and responses without reported usage.

A text of ``b`` UTF-8 bytes has at most ``b`` tokens with every byte-level tokenizer. It has about ``b / 4`` in English prose, and
seldom more than ``b / 2`` in code, JSON or Chinese.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import define

from modelmesh.contracts.call import Call, PromptSize

BYTES_PER_TOKEN = 4
"""Bytes per token of English prose, for estimates."""

PRUDENT_BYTES_PER_TOKEN = 2
"""Bytes per token of code, JSON and Chinese, for the check whether a request is affordable."""

IMAGE_TOKENS, LARGEST_IMAGE_TOKENS = 1_000, 6_000
"""Tokens of a usual image, and of one in the highest resolution."""

MESSAGE_TOKENS, PRUDENT_MESSAGE_TOKENS, MOST_MESSAGE_TOKENS = 4, 6, 16
"""Tokens around each message: its role and its delimiters."""

START_TOKENS, PRUDENT_START_TOKENS, MOST_START_TOKENS = 3, 6, 64
"""Tokens around the whole conversation."""

TOOLS_TOKENS = 1_000
"""Tokens of the instructions that a vendor may add to a request with tools, for the upper bound. The prudent count takes half."""


def text_tokens(size: int) -> int:
    """Estimate the tokens of a text of this many bytes."""
    return -(-size // BYTES_PER_TOKEN)


def byte_size(text: str) -> int:
    """Return the size of a text in UTF-8 bytes."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def prompt_size(call: Call) -> PromptSize:
    """Return the estimated size of a call's prompt, computed once for each call."""
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

    def without_plain(self, messages: list[Any]) -> list[Any]:
        """Count the messages that consist of a role and a text, and return the others."""
        others, size = [], 0
        for message in messages:
            text = message.get("content") if message.__class__ is dict and len(message) == 2 and "role" in message else None  # noqa: PLR2004
            if text.__class__ is str:
                size += len(text) if text.isascii() else byte_size(text)
            else:
                others.append(message)
        self.size += size
        return others

    def add(self, value: Any) -> None:
        """Count the text of a value. An image has a fixed count, regardless of its size."""
        left = [value]
        while left:  # no recursion, because the depth of a value is not limited
            one = left.pop()
            if one.__class__ is str or isinstance(one, str):
                self.size += len(one) if one.isascii() else byte_size(one)
            elif isinstance(one, (list, tuple)):
                left += one
            elif one.__class__ is dict or isinstance(one, Mapping):
                kind = one.get("type")
                if isinstance(kind, str) and kind in _IMAGES:
                    self.images += 1
                    continue
                self.cached = self.cached or "cache_control" in one
                for name, item in one.items():
                    if name not in _NOT_TEXT:
                        left.append(item)
            elif one is not None:
                self.size += len(str(one))


_TEXTS = frozenset({"system", "prompt", "query"})
_PASSAGES = frozenset({"input", "documents"})
_DESCRIBED = frozenset({"tools", "functions", "response_format"})
_IMAGES = frozenset({"image_url", "image", "input_image"})
_NOT_TEXT = frozenset({"role", "type", "cache_control"})


def _measured(call: Call) -> PromptSize:
    tally, tools = _Tally(), 0
    for name, value in call.payload.items():
        if name == "messages":
            if isinstance(value, list):
                tally.messages = len(value)
                if others := tally.without_plain(value):
                    tally.add(others)
        elif name in _TEXTS:
            tally.add(value)
        elif name in _DESCRIBED:
            if value:
                tally.size += len(json.dumps(value, default=str))
                tally.cached = tally.cached or "cache_control" in str(value)
                tools = tools if name == "response_format" else TOOLS_TOKENS
        elif name in _PASSAGES:
            _add_embedded(tally, value)
    chat = bool(tally.messages)
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
    """Count the input of embeddings: a text, tokens, or a list of either. Each text may have two tokens around it."""
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


def response_tokens(body: Any) -> int:
    """Estimate the tokens of a complete response in OpenAI's format from its text."""
    tally = _Tally()
    choices = body.get("choices") if isinstance(body, Mapping) else None
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, Mapping):
            tally.add(choice.get("message"))
    return text_tokens(tally.size)


class ReceivedOutput:
    """Estimates the output tokens of a stream from the received chunks. A chunk has at least one token."""

    __slots__ = ("_chunks", "_size", "unseen")

    def __init__(self) -> None:
        self._chunks = self._size = 0
        self.unseen = 0  # tokens that the vendor may have generated after the caller left

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
            self._chunks += 1
            self._size += size

    def add_text(self, text: str) -> None:
        """Count a delta that consists of this text."""
        self._chunks += 1
        self._size += len(text) if text.isascii() else byte_size(text)

    @property
    def tokens(self) -> int:
        """The estimate so far."""
        return max(text_tokens(self._size), self._chunks) + self.unseen

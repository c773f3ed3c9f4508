"""Types of OpenAI's legacy completions, as of the openai package 3.52.0 (read 2026-11-30)."""

from __future__ import annotations

from typing import Any

from modelmesh.client.attribute_dict import AttributeDict
from modelmesh.client.replies import Reply
from modelmesh.client.shapes.chat import Usage


class CompletionChoice(AttributeDict):
    """One of the alternative texts."""

    __slots__ = ()

    index: int
    text: str
    finish_reason: str | None
    logprobs: Any


class Completion(Reply, nested={"choices": CompletionChoice, "usage": Usage}):
    """A continuation of a prompt."""

    __slots__ = ()

    id: str
    object: str
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: Usage | None
    system_fingerprint: str | None


class CompletionChunk(AttributeDict, nested={"choices": CompletionChoice, "usage": Usage}):
    """One chunk of a streamed completion."""

    __slots__ = ()

    id: str
    object: str
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: Usage | None
    system_fingerprint: str | None

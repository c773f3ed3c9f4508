"""Types of OpenAI's embedding objects, as of the openai package 3.52.0 (read 2026-11-21)."""

from __future__ import annotations

from modelmesh.client.attribute_dict import AttributeDict


class Embedding(AttributeDict):
    """One vector: numbers, or base64 text when the request asks for it."""

    __slots__ = ()

    object: str
    index: int
    embedding: list[float]

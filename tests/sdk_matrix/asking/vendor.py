"""What a vendor's module says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from modelmesh_cdk import BaseProvider


@frozen
class Cannot:
    """A question that the vendor's SDK has no words for.

    Attributes:
        why: What is missing.
    """

    why: str


@frozen
class Difference:
    """One thing that we send otherwise than the SDK.

    Attributes:
        why: Its reason.
        change: Makes the SDK's body ours.
    """

    why: str
    change: Callable[[dict[str, Any]], None]


@frozen
class Vendor:
    """One vendor: our connector, and how its SDK is asked.

    Attributes:
        name: Of the SDK's distribution.
        provider: Our connector.
        model: For chats.
        embedding_model: For embeddings.
        key_header: Where the key travels.
        headers: More that must be equal.
        answer: A whole answer that the SDK can read.
        events: A stream that it can read.
        vectors: Makes so many embeddings that it can read.
        asked: Each chat in the SDK's own form.
        chat: Asks: address, arguments, whether streamed.
        embedded: Each question for embeddings in the SDK's own form.
        embed: Asks for them; ``None`` when the vendor has none.
        differences: What is not equal, with its reason.
    """

    name: str
    provider: type[BaseProvider]
    answer: Any
    events: bytes
    asked: Mapping[str, Mapping[str, Any] | Cannot]
    chat: Callable[[str, Mapping[str, Any], bool], None]
    model: str = "test-model"
    key_header: str = "authorization"
    headers: tuple[str, ...] = ("content-type",)
    embedding_model: str = "test-model"
    vectors: Callable[[int], Any] = dict
    embedded: Mapping[str, Mapping[str, Any] | Cannot] = field(factory=dict)
    embed: Callable[[str, Mapping[str, Any]], None] | None = None
    differences: tuple[Difference, ...] = ()


KEY = "test-key"
ALOUD = "the SDK says the default aloud"


def without(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Return a change that drops a field of this value."""

    def change(body: dict[str, Any]) -> None:
        if name in body and body[name] == value:
            del body[name]

    return change


def no_nulls(body: dict[str, Any]) -> None:
    """Drop the fields of messages that are null."""
    for message in body.get("messages", ()):
        for name in [name for name, value in message.items() if value is None]:
            del message[name]

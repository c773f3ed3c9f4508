"""Description of a vendor and its SDK."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from modelmesh_cdk import BaseProvider


@frozen
class Cannot:
    """A request that the vendor's SDK cannot express.

    Attributes:
        why: The missing feature.
    """

    why: str


@frozen
class Difference:
    """A difference between our request and the SDK's.

    Attributes:
        why: Its reason.
        change: Converts the SDK's body to ours.
    """

    why: str
    change: Callable[[dict[str, Any]], None]


@frozen
class Vendor:
    """A vendor: our connector and the calls of its SDK.

    Attributes:
        name: Name of the SDK's distribution.
        provider: Our connector.
        model: Model of chats.
        embedding_model: Model of embeddings.
        key_header: Header of the key.
        headers: Further headers that must be equal.
        answer: A response that the SDK can read.
        events: A stream that the SDK can read.
        vectors: Returns this many embeddings that the SDK can read.
        asked: Each chat in the SDK's format.
        chat: Sends a chat: address, arguments, stream flag.
        embedded: Each embedding request in the SDK's format.
        embed: Sends an embedding request. ``None`` if the vendor has none.
        differences: Differences with their reasons.
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
ALOUD = "the SDK sends the default"


def without(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Return a change that drops a field with this value."""

    def change(body: dict[str, Any]) -> None:
        if name in body and body[name] == value:
            del body[name]

    return change


def no_nulls(body: dict[str, Any]) -> None:
    """Drop the null fields of messages."""
    for message in body.get("messages", ()):
        for name in [name for name, value in message.items() if value is None]:
            del message[name]

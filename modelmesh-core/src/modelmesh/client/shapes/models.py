"""Types of the model list, as of the openai package 3.52.0 (read 2026-11-21)."""

from __future__ import annotations

from collections.abc import Iterator

from modelmesh.client.attribute_dict import AttributeDict


class ModelCard(AttributeDict):
    """One model of ``models.list()``. ``created`` is ``None`` where the vendor does not state it."""

    __slots__ = ()

    id: str
    object: str
    created: int | None
    owned_by: str


class ModelList(AttributeDict, nested={"data": ModelCard}):
    """All models of all pools."""

    __slots__ = ()

    object: str
    data: list[ModelCard]

    def __iter__(self) -> Iterator[ModelCard]:  # type: ignore[override]
        return iter(self.data)

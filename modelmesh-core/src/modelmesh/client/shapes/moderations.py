"""Types of OpenAI's moderation objects, as of the openai package 3.52.0 (read 2026-11-30)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelmesh.client.attribute_dict import AttributeDict
from modelmesh.client.replies import Reply


class ModerationCategories(AttributeDict):
    """Values by category. ``self-harm/intent`` is also the attribute ``self_harm_intent``, as in the official SDK."""

    __slots__ = ()

    if not TYPE_CHECKING:  # categories are the vendor's, so type checkers know items only

        def __getattr__(self, name: str) -> Any:
            for category in dict.keys(self):
                if name == category.replace("-", "_").replace("/", "_"):
                    return self[category]
            return super().__getattr__(name)


class Moderation(
    AttributeDict,
    nested={
        "categories": ModerationCategories,
        "category_scores": ModerationCategories,
        "category_applied_input_types": ModerationCategories,
    },
):
    """The result for one input. Names of categories are the vendor's."""

    __slots__ = ()

    flagged: bool
    categories: ModerationCategories
    category_scores: ModerationCategories
    category_applied_input_types: ModerationCategories | None


class ModerationCreateResponse(Reply, nested={"results": Moderation}):
    """One result for each input."""

    __slots__ = ()

    id: str
    model: str
    results: list[Moderation]

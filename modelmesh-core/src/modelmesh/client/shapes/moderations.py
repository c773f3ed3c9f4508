"""Types of OpenAI's moderation objects, as of the openai package 3.52.0 (read 2026-11-30)."""

from __future__ import annotations

from modelmesh.client.attribute_dict import AttributeDict
from modelmesh.client.replies import Reply


class Moderation(AttributeDict):
    """The result for one input. Names of categories are the vendor's."""

    __slots__ = ()

    flagged: bool
    categories: AttributeDict
    category_scores: AttributeDict
    category_applied_input_types: AttributeDict | None


class ModerationCreateResponse(Reply, nested={"results": Moderation}):
    """One result for each input."""

    __slots__ = ()

    id: str
    model: str
    results: list[Moderation]

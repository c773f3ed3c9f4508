"""Capabilities that follow from what a model states: a chat model that sees images can caption them.

Vendors and catalogues state ``chat-completion`` and features; no catalogue lists a chat model under ``code-generation``. These
rules put chat models into the pools of the tasks that a chat request can ask for. A leaf that some model of the mesh states
itself is exact: it has the models that state it, and no others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

CHAT = "generation.text-generation.chat-completion"

OF_CHAT = ("generation.text-generation.code-generation", "interaction.multi-turn-conversation")
"""What every chat model can be asked for."""

OF_FEATURES: dict[str, tuple[str, ...]] = {
    "json_mode": ("generation.structured-generation.json-generation",),
    "structured_output": (
        "generation.structured-generation.json-generation",
        "generation.structured-generation.schema-constrained-output",
    ),
    "tool_calling": ("generation.structured-generation.function-call-generation", "interaction.tool-calling"),
    "vision": ("understanding.vision-understanding.image-captioning", "understanding.vision-understanding.ocr"),
}
"""What a chat model can be asked for that states a feature; one that does not state it is left out."""

DERIVED = frozenset((*OF_CHAT, *(path for paths in OF_FEATURES.values() for path in paths)))
"""All of these; each is served by chat completions."""


def derived(stated: Collection[str], features: Mapping[str, bool]) -> tuple[str, ...]:
    """Return the canonical paths that follow from a model's stated ones and its features."""
    if CHAT not in stated:
        return ()
    found = [*OF_CHAT, *(path for name, paths in OF_FEATURES.items() if features.get(name) is True for path in paths)]
    return tuple(dict.fromkeys(path for path in found if path not in stated))

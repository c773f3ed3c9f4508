"""Derived capabilities: a chat model with vision can caption images.

Vendors and catalogues state ``chat-completion`` and features. No catalogue lists a chat model under ``code-generation``. These
rules add chat models to the pools of tasks that a chat request can perform. If some model of the mesh states a capability
itself, only the models that state it have that capability.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

CHAT = "generation.text-generation.chat-completion"

OF_CHAT = ("generation.text-generation.code-generation", "interaction.multi-turn-conversation")
"""Capabilities of every chat model."""

OF_FEATURES: dict[str, tuple[str, ...]] = {
    "json_mode": ("generation.structured-generation.json-generation",),
    "structured_output": (
        "generation.structured-generation.json-generation",
        "generation.structured-generation.schema-constrained-output",
    ),
    "tool_calling": ("generation.structured-generation.function-call-generation", "interaction.tool-calling"),
    "vision": ("understanding.vision-understanding.image-captioning", "understanding.vision-understanding.ocr"),
}
"""Capabilities of a chat model by feature. A model must state the feature."""

DERIVED = frozenset((*OF_CHAT, *(path for paths in OF_FEATURES.values() for path in paths)))
"""All derived capabilities, each served by chat completions."""


def derived(stated: Collection[str], features: Mapping[str, bool]) -> tuple[str, ...]:
    """Return the canonical paths that follow from a model's stated paths and features."""
    if CHAT not in stated:
        return ()
    found = [*OF_CHAT, *(path for name, paths in OF_FEATURES.items() if features.get(name) is True for path in paths)]
    return tuple(dict.fromkeys(path for path in found if path not in stated))

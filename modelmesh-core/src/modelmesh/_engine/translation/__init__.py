"""Translations of other request formats to chat completions and back, by the name of their operation.

Each module is imported with its first request. The translations are pure, except for an ID of an answer that has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from modelmesh._engine.translation.interfaces import ChatTranslation, StreamTranslation, Translation

__all__ = ["TRANSLATIONS", "ChatTranslation", "StreamTranslation", "Translation"]


_NAMES = ("responses", "messages", "completions", "generate_content")


class _Translations(Mapping[str, Translation]):
    """Translations that are imported on first use."""

    _HOMES: Mapping[str, str] = {name: f"{__name__}.{name}.translation" for name in _NAMES}

    def __init__(self) -> None:
        self._loaded: dict[str, Translation] = {}

    def __getitem__(self, name: str) -> Translation:
        found = self._loaded.get(name)
        if found is None:
            found = self._loaded[name] = import_module(self._HOMES[name]).TRANSLATION
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._HOMES)

    def __len__(self) -> int:
        return len(self._HOMES)


TRANSLATIONS: Mapping[str, Translation] = _Translations()
"""Translation of each operation whose row has ``translates``."""

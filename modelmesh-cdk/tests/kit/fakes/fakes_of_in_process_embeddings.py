"""Faulty in-process providers of embeddings, each with one fault, and the standard test that detects it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # a file that is loaded by its path finds its neighbours

from in_process_fakes.faults import FAULTS, mixed_into, suites_of
from in_process_fakes.honest import HonestEmbeddings

from modelmesh_cdk.testing import InProcessEmbeddingsConformance


class Honest(HonestEmbeddings):
    """Correct provider."""


class Reverses(Honest):
    def body(self, body):
        return {**body, "data": body["data"][::-1]}


class MixesTexts(Honest):
    """Vectors depend on the other texts of the request."""

    def body(self, body):
        for row in body["data"]:
            row["embedding"] = [*row["embedding"], float(len(body["data"]))]
        return body


class KnowsNoBase64(Honest):
    def encode(self, vector, form):
        return vector


class HasNoNumbers(Honest):
    def vector(self, text):
        return [float("nan"), 0.5]


class CountsNothing(Honest):
    def body(self, body):
        return {**body, "usage": {"prompt_tokens": 0, "total_tokens": 0}}


class ShowsItsPath(Honest):
    def body(self, body):
        return {**body, "model": "/models/test.onnx"}


FAKES: list[tuple[type, str]] = [
    *mixed_into(Honest, FAULTS),
    (Reverses, "test_embeddings_have_the_order_of_texts"),
    (MixesTexts, "test_embeddings_have_the_order_of_texts"),
    (KnowsNoBase64, "test_embeddings_have_the_requested_encoding"),
    (HasNoNumbers, "test_embeddings_have_the_requested_encoding"),
    (CountsNothing, "test_embeddings_have_usage"),
    (ShowsItsPath, "test_embeddings_name_the_model"),
]
KIT = InProcessEmbeddingsConformance
globals().update(suites_of(KIT, Honest, FAKES))

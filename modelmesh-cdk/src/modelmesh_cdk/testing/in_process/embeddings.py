"""Conformance tests of providers with an embedding model in the process."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from modelmesh.contracts import EMBEDDINGS
from modelmesh_cdk.testing.dialects.shape import unpacked
from modelmesh_cdk.testing.in_process.failures import Failures
from modelmesh_cdk.testing.in_process.life_cycle import LifeCycle
from modelmesh_cdk.testing.in_process.requests import Requests
from modelmesh_cdk.testing.in_process.subject import Play
from modelmesh_cdk.testing.scripted_model import ScriptedModel

TEXTS = ("Hello!", "Paris is the capital of France.")


class InProcessEmbeddingsConformance(Requests, Failures, LifeCycle):
    """Derive a test class, set ``provider_class``, and override ``make`` to build a provider with a scripted engine.

    The engine's vector of a text depends on the text only.

    Example:
        ::

            class TestOwnVectors(InProcessEmbeddingsConformance):
                provider_class = OwnVectorsProvider

                def make(self, script: ScriptedModel) -> OwnVectorsProvider:
                    return OwnVectorsProvider(engine=Embeds(script))

    :class:`~modelmesh_cdk.testing.in_process.subject.InProcessSubject` documents the class variables.
    """

    operation_name = EMBEDDINGS.name
    request: ClassVar[Mapping[str, Any]] = {"input": list(TEXTS)}
    other_requests = ({"input": TEXTS[0]}, {"input": [*TEXTS, "Cats like milk."]})
    invalid_requests: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "number": {"input": 5},
        "empty list": {"input": []},
        "object in list": {"input": ["a", {"text": "b"}]},
        "unknown encoding": {"encoding_format": "roman numerals"},
    }
    price_names = ("input_per_1k_tokens", "per_request")

    def rows(self, play: Play, **more: Any) -> list[dict[str, Any]]:
        """Return the rows of the answer to the request with further parameters."""
        return list(self.send(play(ScriptedModel()), **more).body["data"])

    def test_embeddings_have_the_order_of_texts(self, play: Play) -> None:
        """The index of a vector is the place of its text, and the vector is the one that the text gets alone."""
        together = [(row["index"], row["embedding"]) for row in self.rows(play)]
        alone = [self.rows(play, input=text)[0]["embedding"] for text in self.request["input"]]
        assert together == list(enumerate(alone))

    @pytest.mark.parametrize("form", ["float", "base64"])
    def test_embeddings_have_the_requested_encoding(self, form: str, play: Play) -> None:
        """Vectors are lists of finite numbers, or base64 of 32-bit floats if requested."""
        plain = [row["embedding"] for row in self.rows(play)]
        assert all(isinstance(number, float) and math.isfinite(number) for vector in plain for number in vector)
        for row, vector in zip(self.rows(play, encoding_format=form), plain, strict=True):
            found = row["embedding"]
            assert type(found) is (str if form == "base64" else list)
            assert list(unpacked(found) if isinstance(found, str) else found) == pytest.approx(vector, rel=1e-6)

    def test_embeddings_have_usage(self, play: Play) -> None:
        """The answer has the tokens of the texts. More texts have more tokens."""
        ask = play(ScriptedModel())
        one, both = (self.send(ask, input=texts).body["usage"] for texts in (TEXTS[0], list(TEXTS)))
        assert 0 < one["prompt_tokens"] < both["prompt_tokens"]
        assert one["prompt_tokens"] == one["total_tokens"]

    def test_embeddings_name_the_model(self, play: Play) -> None:
        """The answer has the requested name of the model, not a path of this machine."""
        ask = play(ScriptedModel())
        assert self.send(ask).body["model"] == ask.model

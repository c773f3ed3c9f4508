"""Which embeddings are an answer."""

from __future__ import annotations

from typing import Any

import pytest

from modelmesh._engine.routing.response_check import check_answer
from modelmesh.contracts import EMBEDDINGS, FailureClass
from modelmesh.contracts.call import Call
from modelmesh.contracts.provider import Answer
from modelmesh.errors import ProviderError


def checked(given: Any, *rows: Any) -> Any:
    form = "base64" if any(isinstance(one, dict) and isinstance(one.get("embedding"), str) for one in rows) else "float"
    payload = {"input": given, "encoding_format": form}
    return check_answer(Call(EMBEDDINGS, "test", payload), Answer({"object": "list", "data": list(rows)}))


def row(index: Any, embedding: Any) -> dict[str, Any]:
    return {"object": "embedding", "index": index, "embedding": embedding}


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        ("a", [row(0, [1.0])]),
        (["a", "b"], [row(0, [1.0, 2]), row(1, [3.0, 4.0])]),
        (["a", "b"], [row(1, [3.0]), row(0, [1.0])]),
        (["a", "b"], [{"embedding": [1.0]}, {"embedding": [2.0]}]),
        ([1, 2, 3], [row(0, [1.0])]),
        ([[1], [2]], [row(0, "AACAPw=="), row(1, "AACAPw==")]),
        (None, [row(0, [1, 2])]),
    ],
)
def test_reject_vectors_accepts_complete_answers(given: Any, rows: list[Any]) -> None:
    answer = checked(given, *rows)
    assert isinstance(answer, Answer)
    assert [one["index"] for one in answer.body["data"]] == list(range(len(rows)))


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        (["a", "b"], [row(0, [1.0])]),
        (["a"], [row(0, [1.0]), row(1, [2.0])]),
        (["a", "b"], [row(0, [1.0]), row(0, [2.0])]),
        (["a", "b"], [row(0, [1.0]), row(2, [2.0])]),
        (["a", "b"], [row(0, [1.0]), row(None, [2.0])]),
        (["a", "b"], [row("0", [1.0]), row("1", [2.0])]),
        (["a", "b"], [row(0, [1.0]), row(1, [2.0, 3.0])]),
        (["a", "b"], [row(0, [1.0]), row(1, "AACAPw==")]),
        ("a", [row(0, [])]),
        ("a", [row(0, None)]),
        ("a", [row(0, ["1"])]),
        ("a", [row(0, [None])]),
        ("a", [row(0, [[1.0]])]),
        ("a", [row(0, [True])]),
        ("a", [row(0, [float("nan")])]),
        ("a", [row(0, [float("inf")])]),
        ("a", [row(0, "")]),
        ("a", [row(0, "no base64!")]),
        ("a", [row(0, "AACAPw=")]),
        ("a", [row(0, "AAC=Pw==")]),
        ("a", [row(0, "AACA====")]),
        ("a", [row(0, "AACAPw=A")]),
        ("a", [row(0, "AACAPwé=")]),
        (["a", "b"], [row(0, "AACAPwAA"), row(1, "AACAPw==")]),
        ("a", [row(0, {"values": [1.0]})]),
        (["a", "b"], [row(0, [1.0]), "vector"]),
    ],
)
def test_reject_vectors_reports_wrong_answers(given: Any, rows: list[Any]) -> None:
    outcome = checked(given, *rows)
    assert isinstance(outcome, ProviderError)
    assert outcome.failure is FailureClass.PROTOCOL

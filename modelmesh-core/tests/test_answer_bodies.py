"""Fields of JSON answers that vendors omit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from modelmesh._engine.mesh.answer_bodies import complete_body
from modelmesh.contracts import Call
from modelmesh.contracts.operations import OPERATIONS


def completed(name: str, body: dict[str, Any]) -> dict[str, Any]:
    call = Call(OPERATIONS[name], "pool", {})
    candidate = SimpleNamespace(model_id="acme.real", provider=SimpleNamespace(id="acme"))
    served: Any = SimpleNamespace(sent=call, candidate=candidate)
    return complete_body(body, served, call)


@pytest.mark.parametrize("name", ["moderations", "rerank", "embeddings", "completions"])
def test_reply_has_the_real_model(name: str) -> None:
    assert completed(name, {})["model"] == "acme.real"
    assert completed(name, {"model": "vendor-name"})["model"] == "acme.real"


def test_reply_without_a_model_stays_without() -> None:
    assert "model" not in completed("images.generate", {"data": []})
    assert completed("documents.parse", {"model": "vendor-name"})["model"] == "acme.real"


def test_resource_of_an_account_keeps_its_model() -> None:
    batch = {"id": "batch_1", "model": "gpt-4.1-mini"}
    assert completed("batches.retrieve", dict(batch)) == batch


@pytest.mark.parametrize("name", ["images.generate", "images.edit", "completions"])
def test_reply_has_the_time_of_its_creation(name: str) -> None:
    assert completed(name, {"created": None})["created"] > 0
    assert completed(name, {"created": 5})["created"] == 5

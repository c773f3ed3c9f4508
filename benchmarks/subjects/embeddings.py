"""Embeddings of 2,048 texts with 3,072 dimensions each."""

from __future__ import annotations

import importlib
from typing import Any

import modelmesh
from subjects.concurrency import in_turn
from subjects.requests import MODEL
from subjects.setting import Runner, Setting

TEXTS, DIMENSIONS = ["text"] * 2048, 3072
POOL = "text-embeddings"


def _embedding(create: Any, model: str) -> Runner:
    def once() -> None:
        vectors = create(model=model, input=TEXTS).data
        assert len(vectors) == len(TEXTS)
        assert len(vectors[-1].embedding) == DIMENSIONS

    return in_turn(once)


def openai_sdk(setting: Setting) -> Runner:
    openai = importlib.import_module("openai")
    return _embedding(openai.OpenAI(api_key="test", base_url=f"{setting.url}/v1", max_retries=0).embeddings.create, MODEL)


def mesh(setting: Setting) -> Runner:
    account = {
        "connector": "openai.llm.v1",
        "api_key": "test",
        "base_url": f"{setting.url}/v1",
        "models": [{"id": MODEL, "capabilities": [POOL]}],
    }
    client = modelmesh.create(config={"providers": {"account": account}, "pools": {POOL: {}}})
    return _embedding(client.embeddings.create, POOL)

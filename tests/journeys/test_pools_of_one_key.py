"""``create(pool=…)`` with the key of one vendor: each predefined pool answers, or the error states what to do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fakevendors import VENDORS, Street
from operation_asks import ASKS

import modelmesh
from modelmesh.errors import ModelMeshError

CHATS = ("text-generation", "structured-generation", "vision-understanding", "code-generation")
OTHERS = {"image-generation": "images.generate", "speech-to-text": "audio.transcriptions", "text-to-speech": "audio.speech"}
POOLS = (*CHATS, *OTHERS, "embeddings")
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
CONTENTS: dict[str, Any] = {"vision-understanding": [{"type": "text", "text": "What is it?"}, IMAGE]}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "pong", "schema": {"type": "object"}}}


def request(client: Any, pool: str) -> Any:
    """Send the request of a pool."""
    if pool in CHATS:
        messages = [{"role": "user", "content": CONTENTS.get(pool, "Say pong.")}]
        more = {"response_format": SCHEMA} if pool == "structured-generation" else {}
        return client.chat.completions.create(model=pool, messages=messages, **more).choices[0].message.content
    if pool == "embeddings":
        return client.embeddings.create(model=pool, input="Hi").data[0].embedding
    ask = ASKS[OTHERS[pool]]
    method = ask.method if ask.method.startswith("images.") else f"{ask.method}.create"
    target = client
    for part in method.split("."):
        target = getattr(target, part)
    return ask.read(target(model=pool, **ask.given))


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_pool_with_the_key_of_one_vendor(vendor: str, street: Street) -> None:
    problems, served = [], set()
    for pool in POOLS:
        account = street.account(vendor)
        kind: dict[str, Any] = {"pool": pool} if pool != "code-generation" else {}
        names = () if kind else (pool,)
        try:
            with modelmesh.create(*names, **kind, providers={vendor: account.settings}) as client:
                assert request(client, pool)
                served.add(pool)
        except ModelMeshError as error:
            if account.calls or not re.search(r"[.!] [A-Z]", str(error)):
                problems.append(f"{pool}: {type(error).__name__}: {error} {account.refused}")
    assert not problems, "\n".join(problems)
    assert served

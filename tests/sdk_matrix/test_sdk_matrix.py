"""Requests of six vendors' SDKs and of our connectors: equal, except for a table of differences with reasons."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import aclosing, closing
from copy import deepcopy
from typing import Any

import pytest
from sdk_cases.in_anthropic import ANTHROPIC
from sdk_cases.in_cohere import COHERE
from sdk_cases.in_google import GOOGLE
from sdk_cases.in_mistral import MISTRAL
from sdk_cases.openai_shaped import GROQ, OPENAI
from sdk_cases.questions import CHATS, EMBEDDINGS
from sdk_cases.vendor import KEY, Cannot, Vendor

from modelmesh import errors
from modelmesh.contracts import CHAT, Operation, operations
from modelmesh.contracts.call import Call, Limits
from modelmesh_cdk.testing import Script

VENDORS = (OPENAI, ANTHROPIC, GOOGLE, MISTRAL, COHERE, GROQ)
# The SDKs warn of their own models and of Pythons to come.
pytestmark = pytest.mark.filterwarnings("ignore")


def ours(vendor: Vendor, url: str, operation: Operation, payload: Mapping[str, Any], streams: bool) -> list[str]:
    """Call our connector from a thread and from a task. Return its adaptation notes."""
    settings = {"api_key": KEY, "base_url": url}
    model = vendor.model if operation is CHAT else vendor.embedding_model
    call = Call(operation, "matrix", dict(payload), streams)
    with closing(vendor.provider(settings)) as provider:
        answer = provider.send(call, model, Limits())
        if streams:
            list(answer)
    asyncio.run(_ours_in_a_task(vendor.provider(settings), call, model))
    return list(answer.adapted)


async def _ours_in_a_task(provider: Any, call: Call, model: str) -> None:
    async with aclosing(provider):
        answer = await provider.asend(call, model, Limits())
        if call.stream:
            async for _ in answer:
                pass


def equal(vendor: Vendor, upstream: Any) -> None:
    """Compare three requests: our connector's from a thread and from a task, and the SDK's."""
    mine, in_task, theirs = upstream.received
    assert (in_task.method, in_task.path, in_task.json) == (mine.method, mine.path, mine.json)
    wanted = theirs.json
    for one in vendor.differences:
        one.change(wanted)
    assert mine.json == wanted
    assert (mine.method, mine.path) == (theirs.method, theirs.path)
    for name in (vendor.key_header, *vendor.headers):
        assert mine.headers[name] == in_task.headers[name] == theirs.headers[name], name
    assert KEY in mine.headers[vendor.key_header]


def answers(vendor: Vendor, upstream: Any, streams: bool) -> None:
    whole = Script(body=json.dumps(vendor.answer).encode())
    upstream.always(Script(body=[vendor.events], content_type="text/event-stream") if streams else whole)


@pytest.mark.parametrize("vendor", VENDORS, ids=[vendor.name for vendor in VENDORS])
@pytest.mark.parametrize("question", CHATS)
@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_chat_request_equals_the_sdks(vendor: Vendor, question: str, streams: bool, upstream: Any) -> None:
    answers(vendor, upstream, streams)
    native = vendor.asked[question]
    if isinstance(native, Cannot):
        cannot(vendor, upstream, CHAT, CHATS[question], streams)
        return
    ours(vendor, upstream.url, CHAT, CHATS[question], streams)
    vendor.chat(upstream.url, native, streams)
    equal(vendor, upstream)


def cannot(vendor: Vendor, upstream: Any, operation: Operation, payload: Mapping[str, Any], streams: bool) -> None:
    """Check a request that the vendor cannot express: it is rejected unsent, adapted with a note, or sent unchanged."""
    try:
        adapted = ours(vendor, upstream.url, operation, payload, streams)
    except errors.ProviderError:
        assert not upstream.received
        return
    sent = upstream.received[0].json
    assert adapted or payload.items() <= sent.items(), "it was dropped without a note"


EMBEDDING = [vendor for vendor in VENDORS if vendor.embed is not None]


@pytest.mark.parametrize("vendor", EMBEDDING, ids=[vendor.name for vendor in EMBEDDING])
@pytest.mark.parametrize("question", EMBEDDINGS)
def test_embedding_request_equals_the_sdks(vendor: Vendor, question: str, upstream: Any) -> None:
    texts, native = EMBEDDINGS[question]["input"], vendor.embedded[question]
    upstream.always(Script(body=json.dumps(vendor.vectors(len(texts))).encode()))
    if isinstance(native, Cannot):
        cannot(vendor, upstream, operations.EMBEDDINGS, EMBEDDINGS[question], streams=False)
        return
    assert vendor.embed is not None
    ours(vendor, upstream.url, operations.EMBEDDINGS, EMBEDDINGS[question], streams=False)
    vendor.embed(upstream.url, native)
    equal(vendor, upstream)


@pytest.mark.parametrize("vendor", VENDORS, ids=[vendor.name for vendor in VENDORS])
def test_matrix_covers_every_vendor(vendor: Vendor) -> None:
    assert set(vendor.asked) == set(CHATS)
    assert vendor.embed is None or set(vendor.embedded) == set(EMBEDDINGS)


DIFFERENT = [vendor for vendor in VENDORS if vendor.differences]


@pytest.mark.parametrize("vendor", DIFFERENT, ids=[vendor.name for vendor in DIFFERENT])
def test_listed_differences_all_occur(vendor: Vendor, upstream: Any) -> None:
    for streams in (False, True):
        answers(vendor, upstream, streams)
        for native in vendor.asked.values():
            if not isinstance(native, Cannot):
                vendor.chat(upstream.url, native, streams)
    bodies = [request.json for request in upstream.received]
    for one in vendor.differences:
        before = deepcopy(bodies)
        for body in bodies:
            one.change(body)
        assert bodies != before, one.why

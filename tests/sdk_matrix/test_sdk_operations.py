"""Operations of our connectors and of the vendors' SDKs: equal requests, and equal answers of the same response."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import aclosing, closing
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from sdk_cases.cohere_operations import COHERE_CASES
from sdk_cases.google_operations import GOOGLE_CASES
from sdk_cases.mistral_operations import MISTRAL_CASES
from sdk_cases.openai_operations import ANTHROPIC_CASES, GROQ_CASES, OPENAI_CASES
from sdk_cases.operation_case import OperationCase
from sdk_cases.vendor import KEY

from modelmesh.contracts import OPERATIONS
from modelmesh.contracts.call import Call, Limits
from modelmesh_cdk.testing.dialects.operation_samples import OPERATION_SAMPLES
from modelmesh_cdk.testing.forms import read_form

# The SDKs warn of their own models and of Pythons to come.
pytestmark = pytest.mark.filterwarnings("ignore")
CASES = (*OPENAI_CASES, *GROQ_CASES, *ANTHROPIC_CASES, *MISTRAL_CASES, *GOOGLE_CASES, *COHERE_CASES)


def ours(case: OperationCase, url: str) -> Any:
    """Return the answer, or the items of the stream, that our connector returns in a thread."""
    call = Call(OPERATIONS[case.operation], "matrix", dict(case.payload), case.streams)
    with closing(case.provider({"api_key": KEY, "base_url": url})) as provider:
        answer = provider.send(call, case.model, Limits())
        return list(answer) if case.streams else answer.body


async def ours_in_a_task(case: OperationCase, url: str) -> Any:
    call = Call(OPERATIONS[case.operation], "matrix", dict(case.payload), case.streams)
    async with aclosing(case.provider({"api_key": KEY, "base_url": url})) as provider:
        answer = await provider.asend(call, case.model, Limits())
        return [item async for item in answer] if case.streams else answer.body


def parts(received: Any) -> tuple[str, str, dict[str, str]]:
    address = urlsplit(received.path)
    return received.method, address.path, dict(parse_qsl(address.query))


def fields(received: Any) -> dict[str, Any]:
    """Return the form or the JSON body of a request. A request without one has an empty result."""
    if received.headers.get("content-type", "").startswith("multipart/form-data"):
        return read_form(received)
    return json.loads(received.body) if received.body else {}


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_operation_equals_the_sdks(case: OperationCase, upstream: Any) -> None:
    upstream.always(case.script)
    answers = [ours(case, upstream.url), asyncio.run(ours_in_a_task(case, upstream.url))]
    read = case.sdk(upstream.url)
    assert [case.read(answer) for answer in answers] == [read, read]
    mine, in_task, theirs = upstream.received
    wanted = fields(theirs)
    case.change(wanted)
    assert [fields(mine), fields(in_task)] == [wanted, wanted]
    assert parts(mine) == parts(in_task) == parts(theirs)
    for one in (mine, in_task):
        assert one.headers[case.key_header] == theirs.headers[case.key_header]
        assert _media(one.headers) == _media(theirs.headers) or not theirs.body


def _media(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0]


def test_matrix_covers_every_operation() -> None:
    named = {case.operation for case in CASES}
    assert set(OPERATION_SAMPLES) - named == {"search"}  # no package of the matrix has it

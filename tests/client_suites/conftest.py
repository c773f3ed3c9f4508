"""A mesh over fake vendors of two dialects, for frameworks that take a client of the official SDKs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import modelmesh
from modelmesh_cdk.testing import Upstream
from modelmesh_cdk.testing.upstream import completion

sys.path.insert(0, str(Path(__file__).parents[1] / "journeys"))  # importlib mode does not add the folder

from fakevendors import Street

CONNECTORS = {"openai": "openai.llm.v1", "anthropic": "anthropic.claude.v1"}


@pytest.fixture(scope="module")
def street() -> Iterator[Street]:
    with Street() as running:
        yield running


@pytest.fixture(params=CONNECTORS)
def vendor(request: pytest.FixtureRequest) -> str:
    """Name of the vendor whose model answers, which is the first word of its answers."""
    return str(request.param)


@pytest.fixture
def mesh(street: Street, vendor: str) -> Iterator[modelmesh.ModelMesh]:
    """A mesh with one account at a fake vendor, which answers four words and calls tools for a question."""
    account = street.account(vendor)
    providers = {vendor: {"connector": CONNECTORS[vendor], **account.settings}}
    pools = {"chat-completion": {}, "gpt-4o": {"capability": "chat-completion"}}  # some frameworks accept names of OpenAI only
    with modelmesh.ModelMesh({"providers": providers, "pools": pools}) as running:
        yield running
    assert not account.refused


@pytest.fixture
def oslo() -> Iterator[modelmesh.ModelMesh]:
    """A mesh whose model answers with a city as JSON, in a call of the only tool if there is one."""
    with Upstream() as server:

        def answer(request: Any) -> Any:
            from modelmesh_cdk.testing.upstream import Script

            tools = request.json.get("tools")
            text = json.dumps({"name": "Oslo"})
            if not tools:
                return Script(body=json.dumps(completion(text)).encode())
            function = {"name": tools[0]["function"]["name"], "arguments": text}
            call = {"id": "call_1", "type": "function", "function": function}
            return Script(body=json.dumps(completion(None, tool_calls=[call])).encode())

        server.always(answer)
        provider = {"connector": "openai.llm.v1", "api_key": "sk-test", "base_url": server.url, "models": ["model-a"]}
        with modelmesh.ModelMesh({"providers": {"a": provider}, "pools": {"chat-completion": {}}}) as running:
            yield running

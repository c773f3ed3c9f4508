"""A key appears nowhere except in its header."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
import pickle
import traceback
from typing import Any

import pytest

import modelmesh
from modelmesh_cdk.testing import Script, Upstream

CANARY = "sk-test-CANARY-0123456789"
MESSAGES = [{"role": "user", "content": "Hello!"}]


def whole(error: BaseException) -> str:
    """The text that a crash reporter shows of an error, with the variables of its frames."""
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    return shown + repr(error) + repr(vars(error)) + repr(getattr(error, "details", ""))


def config(base: str, **pool: Any) -> dict[str, Any]:
    provider = {"connector": "openai.llm.v1", "api_key": CANARY, "base_url": base, "models": ["m"]}
    return {"providers": {"a": provider}, "pools": {"chat-completion": pool}}


ECHO = {
    "401": Script(401, f'{{"error": {{"message": "Incorrect API key provided: {CANARY}", "code": "invalid_api_key"}}}}'.encode()),
    "400": Script(400, f'{{"error": {{"message": "bad request by {CANARY}"}}, "{CANARY}": ["{CANARY}"]}}'.encode()),
    "500": Script(500, CANARY.encode()),
    "200 error": Script(200, f'{{"error": {{"message": "{CANARY}", "code": "{CANARY[:30]}x"}}}}'.encode()),
    "not json": Script(200, CANARY.encode()),
    "hang": Script(delay=30),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", ECHO)
def test_key_in_a_failing_request_is_redacted(
    fault: str, stream: bool, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    upstream.always(ECHO[fault])
    once, wait = {"max_attempts": 0}, 2 if fault == "hang" else 60
    with modelmesh.create(config=config(upstream.url, retry=once)) as client, pytest.raises(modelmesh.ModelMeshError) as caught:
        client.chat.completions.create(model="chat-completion", messages=MESSAGES, stream=stream, timeout=wait)
    assert upstream.last.headers["authorization"] == f"Bearer {CANARY}"
    shown = whole(caught.value) + str([attempt.as_dict() for attempt in caught.value.attempts])  # type: ignore[attr-defined]
    assert CANARY not in shown
    assert CANARY not in caplog.text


@pytest.mark.parametrize("fault", ECHO)
def test_key_in_a_failing_async_request_is_redacted(fault: str, upstream: Upstream) -> None:
    upstream.always(ECHO[fault])

    async def main() -> str:
        async with modelmesh.create_async(config=config(upstream.url)) as client:
            try:
                await client.chat.completions.create(model="chat-completion", messages=MESSAGES, timeout=0.3)
            except modelmesh.ModelMeshError as error:
                return whole(error)
        return CANARY

    assert CANARY not in asyncio.run(main())


@pytest.mark.parametrize("connector", ["openai.llm.v1", "anthropic.claude.v1", "google.gemini.v1", "cohere.nlp.v1"])
def test_key_with_a_line_break_is_stripped(connector: str, upstream: Upstream) -> None:
    given = {"connector": connector, "api_key": f"{CANARY}\n", "base_url": upstream.url, "models": ["m"]}
    with modelmesh.create(config={"providers": {"a": given}, "pools": {"chat-completion": {}}}) as client:
        with contextlib.suppress(modelmesh.ModelMeshError):  # the answer is in OpenAI's format for every request
            client.chat.completions.create(model="chat-completion", messages=MESSAGES)
    assert any(value.removeprefix("Bearer ") == CANARY for value in upstream.last.headers.values())


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"api_key": f"{CANARY}\nother"}, "the API key of the provider openai.llm.v1 contains a line break, so no header"),
        ({"api_key": f"{CANARY}ü"}, "the API key of the provider openai.llm.v1 contains a character that is not ASCII"),
        ({"headers": {"X-Key": f"{CANARY}\n"}}, "the header 'X-Key' of the provider openai.llm.v1 contains a line break"),
    ],
)
def test_key_invalid_as_header_raises_without_quoting(given: dict[str, Any], why: str) -> None:
    raw = config("http://127.0.0.1:9")
    raw["providers"]["a"].update(given)
    with pytest.raises(modelmesh.ConfigurationError, match=why) as caught:
        modelmesh.create(config=raw)
    assert CANARY not in str(caught.value)


def test_setting_invalid_as_header_raises_without_quoting(upstream: Upstream) -> None:
    raw = config(upstream.url)
    raw["providers"]["a"]["organization"] = f"{CANARY}\n"
    with modelmesh.create(config=raw) as client, pytest.raises(modelmesh.ModelMeshError) as caught:
        client.chat.completions.create(model="chat-completion", messages=MESSAGES)
    assert "the header 'OpenAI-Organization' contains a line break. Correct the settings of the provider" in str(caught.value)
    assert CANARY not in str(caught.value)
    assert upstream.received == []


def broken_calls() -> list[Any]:
    given = config("http://127.0.0.1:9")
    return [
        lambda: modelmesh.create("chat-completion", api_keys={"openai": CANARY}, strategy="nope"),
        lambda: modelmesh.create("chat-completion", api_keys={"opnai": CANARY}),
        lambda: modelmesh.create("reranking", api_keys={"openai": CANARY}),
        lambda: modelmesh.create(config={**given, "nope": 1}),
        lambda: modelmesh.create(config={**given, "pools": {"chat-completion": {"strategy": "nope"}}}),
        lambda: modelmesh.create(config={"providers": {"a": CANARY}}),
        lambda: modelmesh.create(config={"providers": {"openai.llm.v1": {"api_key": CANARY, "base_url": "nowhere"}}}),
        lambda: modelmesh.create(config={"providers": {"openai.llm.v1": {"api_key": CANARY, "timeout": "never"}}}),
        lambda: modelmesh.create(config={"providers": {"x": {"connector": "nope.v1", "api_key": CANARY}}}),
        lambda: modelmesh.MeshConfig({"providers": {"x": {"connector": "nope.v1", "api_key": CANARY}}}).sections.pools["x"],
    ]


@pytest.mark.parametrize("call", range(len(broken_calls())))
def test_key_in_an_invalid_configuration_is_redacted(call: int) -> None:
    calls = broken_calls()
    try:
        calls[call]()
    except Exception as error:
        trace = error.__traceback__
        assert trace is not None
        error.__traceback__ = trace.tb_next.tb_next if trace.tb_next else None  # the frames of this test contain the key
        assert CANARY not in whole(error)
    else:
        pytest.fail("nothing was raised")


def test_key_in_reprs_copies_and_pickles_is_sealed(upstream: Upstream) -> None:
    with modelmesh.create(config=config(upstream.url)) as client:
        reply = client.chat.completions.create(model="chat-completion", messages=MESSAGES)
        mesh = client.mesh
        candidate = mesh.list_models()[0]
        provider: Any = candidate.provider
        things = [client, mesh, mesh.config, mesh.config.sections, candidate, provider, provider.config, reply, reply.attempts]
        things += [
            mesh.list_pools(),
            mesh.get_router(),
            client.describe(),
            client.explain("chat-completion"),
            client.usage,
            reply.metadata,
        ]
        assert CANARY not in "".join(map(repr, things))
        assert CANARY not in str(things)
    secret = modelmesh.Secret(CANARY)
    assert CANARY not in f"{secret} {secret!r} {secret!s} {secret:>30}"
    assert copy.deepcopy(secret) is secret
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(secret)


def test_key_does_not_follow_a_redirect(upstream: Upstream, other: Upstream) -> None:
    upstream.always(Script(307, b"", {"Location": other.url + "/v1/chat/completions"}))
    with modelmesh.create(config=config(upstream.url)) as client, pytest.raises(modelmesh.ProviderError):
        client.chat.completions.create(model="chat-completion", messages=MESSAGES)
    assert other.received == []

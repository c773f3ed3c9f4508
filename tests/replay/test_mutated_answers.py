"""Recorded responses with any part replaced by a value of another type.

For any response of a vendor, the caller gets a response with valid types, from this vendor or the next one, or an error. It never
gets an untyped exception, the connector's author is never blamed, and no concurrency slot stays taken.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from replaying import ours
from replaying.questions import asked
from replaying.recorded import Recording, recordings

import modelmesh
from modelmesh import errors
from modelmesh_cdk.testing import Script, Upstream
from modelmesh_cdk.testing.upstream import Received, completion, text_stream

ODD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    5,
    1.5,
    10**30,
    "",
    "text",
    [],
    [None],
    ["x"],
    [[]],
    [5],
    {},
    {"a": 1},
    {"text": 5},
    ...,
]
"""Replacements of a part. ``...`` removes it."""

VENDORS = sorted({one.vendor for one in recordings("answers") + recordings("streams")})


def paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every part of a document."""
    if here:
        yield here
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, part in parts:
        yield from paths(part, (*here, step))


def replaced(document: Any, way: tuple[Any, ...], value: Any) -> Any:
    document = place = copy.deepcopy(document)
    for step in way[:-1]:
        place = place[step]
    if value is ...:
        del place[way[-1]]
    else:
        place[way[-1]] = value
    return document


@st.composite
def mutated(draw: Any, vendor: str) -> Recording:
    """Draw a recording with one or two replaced parts."""
    found = [one for one in recordings("answers") + recordings("streams") if one.vendor == vendor]
    recording = draw(st.sampled_from(found))
    text = recording.answer.decode()
    for _ in range(draw(st.integers(1, 2))):
        text = _mutated_stream(draw, text) if recording.streams else json.dumps(_mutated_document(draw, json.loads(text)))
    facts = {**recording.facts, "response": {**recording.facts["response"], "body": text}}
    return evolve(recording, facts=facts)


def _mutated_document(draw: Any, document: Any) -> Any:
    ways = list(paths(document))
    return replaced(document, draw(st.sampled_from(ways)), draw(st.sampled_from(ODD))) if ways else document


def _mutated_stream(draw: Any, text: str) -> str:
    lines = text.splitlines()
    places = [place for place, line in enumerate(lines) if line.startswith("data:") and line[5:].strip().startswith("{")]
    if not places:
        return text
    place = draw(st.sampled_from(places))
    lines[place] = "data: " + json.dumps(_mutated_document(draw, json.loads(lines[place][5:])))
    return "\n".join(lines) + "\n\n"


def world(upstream: Upstream, recording: Recording) -> dict[str, Any]:
    """Return a mesh of the vendor and a healthy second one. The server answers as both."""

    def answer(request: Received) -> Script:
        if request.path.startswith("/healthy"):
            body: Any = text_stream("right") if request.json.get("stream") else json.dumps(completion("right")).encode()
            return Script(200, body, content_type="text/event-stream" if request.json.get("stream") else "application/json")
        return recording.script()

    upstream.always(answer)
    settings_ = ours.config(recording, upstream.url)
    healthy = {"connector": "openai.llm.v1", "api_key": "test", "base_url": f"{upstream.url}/healthy", "models": ["healthy"]}
    settings_["providers"]["healthy"] = healthy
    settings_["pools"]["chat-completion"] = {"retry": {"max_attempts": 0}}
    return settings_


def check_message(message: Any) -> None:
    assert message.content is None or isinstance(message.content, str | list), message
    for call in message.tool_calls or ():
        assert isinstance(call.id, str)
        if call.type == "function":
            assert isinstance(call.function.name, str)
            assert isinstance(call.function.arguments, str)


def check_whole(answer: Any) -> None:
    for choice in answer.choices:
        check_message(choice.message)
        assert isinstance(choice.finish_reason, str)
        assert choice.finish_reason
        for call in choice.message.tool_calls or ():
            if choice.finish_reason not in ("length", "content_filter") and call.type == "function":
                json.loads(call.function.arguments)
    check_usage(answer.usage)


def check_usage(usage: Any) -> None:
    for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
        count = getattr(usage, name, None)
        assert count is None or (type(count) is int and count >= 0)


def check_chunks(chunks: list[Any], *, ended: bool) -> None:
    arguments: dict[tuple[int, int], str] = {}
    finish: dict[int, str] = {}
    for chunk in chunks:
        assert chunk.choices or chunk.usage
        for choice in chunk.choices:
            delta = choice.delta
            assert delta.content is None or isinstance(delta.content, str | list)
            for call in delta.tool_calls or ():
                key = choice.index or 0, call.index
                function = call.function
                arguments[key] = arguments.get(key, "") + ((function.arguments or "") if function is not None else "")
            if choice.finish_reason is not None:
                assert isinstance(choice.finish_reason, str)
                finish[choice.index or 0] = choice.finish_reason
        check_usage(getattr(chunk, "usage", None))
    if ended:
        assert finish
        for (index, _), text in arguments.items():
            if finish.get(index) not in ("length", "content_filter"):
                json.loads(text or "{}")


def check_attempts(attempts: Any) -> None:
    assert not [one for one in attempts if "Broken" in (one.error or "")], list(attempts)


def check_rest(client: Any) -> None:
    assert {entry.key: entry.account.in_flight for entry in client.mesh._running.providers} == {"vendor": 0, "healthy": 0}


def ask_in_thread(config: dict[str, Any], given_: dict[str, Any]) -> None:
    with modelmesh.create(config=config) as client:
        chunks: list[Any] = []
        try:
            answer = client.chat.completions.create(**given_)
            if given_["stream"]:
                chunks.extend(iter(answer))
                check_chunks(chunks, ended=True)
            else:
                check_whole(answer)
            check_attempts(answer.attempts)
        except errors.StreamInterruptedError as error:
            check_chunks(chunks, ended=False)
            check_attempts(error.attempts)
        except errors.BadRequestError as error:
            check_attempts(error.attempts)  # a mutated error code may report this
        check_rest(client)


async def ask_in_task(config: dict[str, Any], given_: dict[str, Any]) -> None:
    async with modelmesh.create_async(config=config) as client:
        chunks: list[Any] = []
        try:
            answer: Any = await client.chat.completions.create(**given_)
            if given_["stream"]:
                async for chunk in answer:
                    chunks.append(chunk)
                check_chunks(chunks, ended=True)
            else:
                check_whole(answer)
            check_attempts(answer.attempts)
        except errors.StreamInterruptedError as error:
            check_chunks(chunks, ended=False)
            check_attempts(error.attempts)
        except errors.BadRequestError as error:
            check_attempts(error.attempts)
        check_rest(client)


@pytest.mark.parametrize("in_task", [False, True], ids=["thread", "task"])
@pytest.mark.parametrize("vendor", VENDORS)
@given(data=st.data())
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_mutated_response_is_valid_or_rejected(vendor: str, in_task: bool, data: st.DataObject) -> None:
    recording = data.draw(mutated(vendor))
    with Upstream() as upstream:
        config = world(upstream, recording)
        given_ = {"model": "chat-completion", **asked(recording.vendor, recording.body), "stream": recording.streams}
        if in_task:
            asyncio.run(ask_in_task(config, given_))
        else:
            ask_in_thread(config, given_)

"""The real model. Skipped without its weights."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from modelmesh_connector_local import LocalProvider, runtime
from modelmesh_connector_local.config import LocalConfig

import modelmesh
from modelmesh.contracts import FailureClass
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import BadRequestError, ProviderTimeoutError

NAME = "smollm2-135m-instruct"
STORY = [{"role": "user", "content": "Write a long story about a dog."}]


def text(chunks: list[dict[str, Any]]) -> str:
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"])


def test_model_plain_request_returns_response(model: LocalProvider, chat: Callable[..., Call], limits: Limits) -> None:
    answer = model.send(chat(temperature=0), NAME, limits)
    body = answer.body
    assert "Paris" in body["choices"][0]["message"]["content"]
    assert body["choices"][0]["finish_reason"] == "stop"
    assert (body["model"], body["object"]) == (NAME, "chat.completion")
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
    assert len(answer.adapted) == 2


def test_model_stream_has_same_content(model: LocalProvider, chat: Callable[..., Call], limits: Limits) -> None:
    whole = model.send(chat(temperature=0), NAME, limits).body
    chunks = list(model.send(chat(stream=True, temperature=0), NAME, limits))
    assert text(chunks) == whole["choices"][0]["message"]["content"]
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert {chunk["model"] for chunk in chunks} == {NAME}
    assert ["role" in chunk["choices"][0]["delta"] for chunk in chunks] == [True] + [False] * (len(chunks) - 1)
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert chunks[-1]["usage"]["completion_tokens"] == whole["usage"]["completion_tokens"]


def test_model_async_request_has_same_content(model: LocalProvider, chat: Callable[..., Call], limits: Limits) -> None:
    async def main() -> tuple[Any, list[dict[str, Any]]]:
        answer = await model.asend(chat(temperature=0), NAME, limits)
        stream = await model.asend(chat(stream=True, temperature=0), NAME, limits)
        return answer, [chunk async for chunk in stream]

    answer, chunks = asyncio.run(main())
    assert "Paris" in answer.body["choices"][0]["message"]["content"]
    assert text(chunks) == answer.body["choices"][0]["message"]["content"]


def test_model_async_request_does_not_block_event_loop(model: LocalProvider, chat: Callable[..., Call], limits: Limits) -> None:
    async def main() -> int:
        task, turns = asyncio.create_task(model.asend(chat(messages=STORY, ignore_eos=True), NAME, limits)), 0
        while not task.done():
            turns += 1
            await asyncio.sleep(0)
        await task
        return turns

    assert asyncio.run(main()) > 10


def test_model_closed_stream_frees_model(model: LocalProvider, chat: Callable[..., Call], limits: Limits) -> None:
    endless = {"messages": STORY, "max_tokens": -1, "ignore_eos": True}  # until the context is full: minutes
    stream = model.send(chat(stream=True, **endless), NAME, limits)
    events = iter(stream)
    while not next(events)["choices"][0]["delta"].get("content"):
        pass
    stream.close()
    stream.close()
    assert model.send(chat(max_tokens=2), NAME, limits).body["usage"]["completion_tokens"] == 2

    async def main() -> None:
        opened = await model.asend(chat(stream=True, **endless), NAME, limits)
        async for chunk in opened:
            if chunk["choices"][0]["delta"].get("content"):
                break
        await opened.aclose()
        assert (await model.asend(chat(max_tokens=2), NAME, limits)).body["usage"]["completion_tokens"] == 2

    asyncio.run(main())


def test_model_exceeded_limit_frees_model(model: LocalProvider, chat: Callable[..., Call], limits: Limits) -> None:
    tiny = Limits(first_content=0.2, answer=0.2, total=0.2)
    with pytest.raises(ProviderTimeoutError) as caught:
        model.send(chat(messages=STORY, max_tokens=-1, ignore_eos=True), NAME, tiny)
    assert caught.value.timeout_seconds == 0.2
    long = [{"role": "user", "content": "word " * 3000}]
    with pytest.raises(ProviderTimeoutError):
        list(model.send(chat(stream=True, messages=long), NAME, tiny))
    assert model.send(chat(max_tokens=2), NAME, limits).body["usage"]["completion_tokens"] == 2


def test_model_two_threads_share_model(model: LocalProvider, chat: Callable[..., Call], limits: Limits) -> None:
    found: dict[int, str] = {}

    def send(place: int) -> None:
        found[place] = model.send(chat(temperature=0), NAME, limits).body["choices"][0]["message"]["content"]

    threads = [threading.Thread(target=send, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(found) == 2
    assert all("Paris" in one for one in found.values())


def test_model_parameters_are_applied(model: LocalProvider, chat: Callable[..., Call], limits: Limits) -> None:
    def generate(**parameters: Any) -> dict[str, Any]:
        return model.send(chat(messages=STORY, **parameters), NAME, limits).body

    assert generate(max_tokens=3)["usage"]["completion_tokens"] == 3
    assert generate(max_completion_tokens=4)["choices"][0]["finish_reason"] == "length"
    plain, other = generate(seed=1, temperature=1.5, max_tokens=12), generate(seed=2, temperature=1.5, max_tokens=12)
    assert plain["choices"][0]["message"]["content"] != other["choices"][0]["message"]["content"]
    word = generate(temperature=0, max_tokens=6)["choices"][0]["message"]["content"].split()[2]
    assert word not in generate(temperature=0, max_tokens=6, stop=[word])["choices"][0]["message"]["content"]
    chances = generate(logprobs=True, top_logprobs=2, max_tokens=3)["choices"][0]["logprobs"]["content"]
    assert [len(one["top_logprobs"]) for one in chances] == [2, 2, 2]


def test_model_json_schema_constrains_response(model: LocalProvider, chat: Callable[..., Call], limits: Limits) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", "minimum": 1, "maximum": 99}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }
    asked = {"type": "json_schema", "json_schema": {"name": "person", "schema": schema}}
    call = chat(messages=[{"role": "user", "content": "Give me a person."}], response_format=asked, max_tokens=80, temperature=0)
    made = json.loads(model.send(call, NAME, limits).body["choices"][0]["message"]["content"])
    assert set(made) == {"name", "age"}
    assert isinstance(made["age"], int)


def test_model_too_long_prompt_is_capability_failure(model: LocalProvider, chat: Callable[..., Call], limits: Limits) -> None:
    for stream in (False, True):
        with pytest.raises(BadRequestError, match="n_ctx") as caught:
            list(model.send(chat(stream=stream, messages=[{"role": "user", "content": "word " * 6000}]), NAME, limits))  # type: ignore[arg-type]
        assert caught.value.failure is FailureClass.CAPABILITY
        assert caught.value.code == "context_length_exceeded"


@pytest.mark.parametrize(
    "payload",
    [
        {"messages": None},
        {"messages": [{"role": 3, "content": "x"}]},
        {"messages": ["x"]},
        {"messages": [{"role": "user", "content": "\ud800"}]},
        {"temperature": "hot"},
        {"odd": object()},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "wat"}}}},
    ],
)
def test_model_invalid_request_is_caller_failure(
    payload: dict[str, Any], model: LocalProvider, chat: Callable[..., Call], limits: Limits
) -> None:
    with pytest.raises(BadRequestError) as caught:
        model.send(chat(**payload), NAME, limits)
    assert caught.value.failure in (FailureClass.CALLER, FailureClass.REFUSED)  # the connector's check or the library's
    model.send(chat(max_tokens=1), NAME, limits)


@pytest.mark.usefixtures("weights", "no_keys")
def test_create_without_key_uses_local_model() -> None:
    with modelmesh.create("chat-completion") as client:
        reply = client.chat.completions.create(
            model="chat-completion", messages=[{"role": "user", "content": "What is the capital of France?"}], temperature=0
        )
        assert "Paris" in reply.choices[0].message.content
        assert reply.model == NAME
        assert reply.usage.total_tokens > 0
        assert reply.metadata["connector"] == "modelmesh.local.v1"
        assert reply.metadata["adapted"]
        assert reply.attempts[-1].cost == 0
        pieces = list(client.chat.completions.create(model="chat-completion", messages=STORY, max_tokens=4, stream=True))
        assert pieces[-1].usage.completion_tokens == 4
        with pytest.raises(modelmesh.ModelMeshError):
            client.chat.completions.create(
                model="chat-completion", messages=STORY, tools=[{"type": "function", "function": {"name": "f"}}]
            )


def test_model_response_matches_openai_types(model: LocalProvider, chat: Callable[..., Call], limits: Limits) -> None:
    types = pytest.importorskip("openai.types.chat")
    answer = types.ChatCompletion.model_validate(model.send(chat(logprobs=True, max_tokens=3), NAME, limits).body, strict=True)
    assert answer.choices[0].message.content
    asked = {"include_usage": True}
    chunks = [
        types.ChatCompletionChunk.model_validate(chunk, strict=True)
        for chunk in model.send(chat(stream=True, max_tokens=3, stream_options=asked), NAME, limits)
    ]
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 3
    assert chunks[-2].choices[0].finish_reason == "length"


def test_load_http_port_of_library_is_locked(weights: Any) -> None:
    server = runtime.load(LocalConfig(), weights)
    request = urllib.request.Request(
        f"{server.listening_address}/v1/chat/completions",
        data=b'{"messages": [{"role": "user", "content": "x"}], "max_tokens": 1}',
        headers={"Content-Type": "application/json", "Origin": "https://example.com"},
    )
    assert server.listening_address.startswith("http://127.0.0.1:")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(urllib.error.HTTPError) as caught:
        opener.open(request, timeout=10)
    with caught.value as refusal:
        assert refusal.code == 401
        assert not refusal.headers.get("Access-Control-Allow-Origin")


LEFT_OPEN = """
import modelmesh
client = modelmesh.create("chat-completion")
stream = client.chat.completions.create(
    model="chat-completion", messages=[{"role": "user", "content": "Write a long story."}], max_tokens=-1, stream=True,
    extra_body={"ignore_eos": True})
print(type(next(iter(stream))).__name__)
"""

FORKED = """
import os, sys, modelmesh
client = modelmesh.create("chat-completion")
send = lambda: client.chat.completions.create(
    model="chat-completion", messages=[{"role": "user", "content": "Hi"}], max_tokens=2).usage.completion_tokens
print("parent", send(), flush=True)
child = os.fork()
if child == 0:
    print("child", send(), flush=True)
    sys.exit(0)
print("status", os.waitpid(child, 0)[1])
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.usefixtures("weights", "no_keys")
def test_exit_during_generation_ends_interpreter() -> None:
    done = run(LEFT_OPEN)
    assert (done.returncode, done.stdout.strip()) == (0, "ChatCompletionChunk"), done.stderr
    assert "llama" not in done.stderr  # the library writes no log


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="requires fork")
@pytest.mark.usefixtures("weights", "no_keys")
def test_fork_child_loads_separate_model() -> None:
    done = run(FORKED)
    assert done.stdout.split() == ["parent", "2", "child", "2", "status", "0"], done.stderr

"""Text completions ↔ chat completions, validated with the types of the openai package."""

from __future__ import annotations

from typing import Any

import pytest
from chats import USAGE, call_of, chat, chunks_of, sizes, texts
from hypothesis import given, settings
from openai.types import Completion

from modelmesh._engine.translation import TRANSLATIONS
from modelmesh.errors import BadRequestError, StreamInterruptedError

COMPLETIONS = TRANSLATIONS["completions"]


def to_chat(payload: dict[str, Any]) -> Any:
    return COMPLETIONS.to_chat(call_of("completions", payload))


def test_a_request_becomes_a_chat_completion() -> None:
    found = to_chat(
        {"prompt": ["Once"], "max_tokens": 5, "logprobs": 2, "n": 2, "stop": "x", "best_of": 2, "echo": False, "unknown": 1}
    )
    assert found.payload == {
        "messages": [{"role": "user", "content": "Once"}],
        "max_tokens": 5,
        "logprobs": True,
        "top_logprobs": 2,
        "n": 2,
        "stop": "x",
        "unknown": 1,
    }
    assert (found.output_limit, found.native_only) == (5, "")
    assert len(found.lost) == 1


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"prompt": [1, 2]}, "tokens"),
        ({"prompt": [[1], [2]]}, "tokens"),
        ({"prompt": ["a", "b"]}, "the list has 2"),
        ({"suffix": "end"}, "suffix: "),
        ({"best_of": 3}, "best_of: "),
        ({"echo": True, "logprobs": 1}, "echo with logprobs"),
    ],
)
def test_what_a_chat_cannot_do_needs_a_native_provider(parameters: dict[str, Any], reason: str) -> None:
    assert reason in to_chat({"prompt": "a", **parameters}).native_only


@pytest.mark.parametrize("prompt", [None, [], 3, [None]])
def test_an_invalid_prompt_is_refused(prompt: Any) -> None:
    with pytest.raises(BadRequestError, match="Nothing was sent"):
        to_chat({"prompt": prompt})


def logprob(token: str) -> dict[str, Any]:
    return {"token": token, "logprob": -0.5, "bytes": None, "top_logprobs": [{"token": "x", "logprob": -2.0, "bytes": None}]}


def test_an_answer_becomes_a_completion() -> None:
    body = chat({"content": " upon a"}, "length", system_fingerprint="f")
    body["choices"][0]["logprobs"] = {"content": [logprob(" upon"), logprob(" a")]}
    made = COMPLETIONS.from_chat(body, call_of("completions", {"prompt": "Once", "echo": True}))
    found = Completion.model_validate(made, strict=True)
    assert (found.id, found.choices[0].text, found.choices[0].finish_reason) == ("cmpl-1", "Once upon a", "length")
    assert (found.system_fingerprint, made["usage"]) == ("f", USAGE)
    assert found.choices[0].logprobs is not None
    assert found.choices[0].logprobs.text_offset == [4, 9]
    assert found.choices[0].logprobs.top_logprobs == [{"x": -2.0}, {"x": -2.0}]


@settings(max_examples=25, deadline=None)
@given(texts, sizes)
def test_every_split_gives_the_plain_completion(text: str, split: list[int]) -> None:
    body = chat({"content": text}, "stop")
    request = call_of("completions", {"prompt": "Once", "echo": True}, stream=True)
    stream = COMPLETIONS.stream(request)
    chunks = [item for chunk in chunks_of(body, split) for item in stream.feed(chunk)] + stream.end()
    for chunk in chunks:
        reasons = [choice.pop("finish_reason") for choice in chunk["choices"]]  # null in the chunks before the last
        Completion.model_validate(
            {**chunk, "choices": [{**one, "finish_reason": "stop"} for one in chunk["choices"]]}, strict=True
        )
        assert set(reasons) <= {None, "stop"}
    plain = COMPLETIONS.from_chat(body, request)
    assert "".join(choice["text"] for chunk in chunks for choice in chunk["choices"]) == plain["choices"][0]["text"]
    assert chunks[-1]["usage"] == plain["usage"]
    assert {chunk["id"] for chunk in chunks} == {plain["id"]}


def test_an_interruption_is_an_error_chunk() -> None:
    stream = COMPLETIONS.stream(call_of("completions", {"prompt": "a"}, stream=True))
    assert stream.fail(StreamInterruptedError("The stream broke."))[0]["error"]["message"] == "The stream broke."

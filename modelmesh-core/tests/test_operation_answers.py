"""Complete answers of every operation: what is valid, and what fails over to the next candidate."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from modelmesh._engine.routing.response_check import check_answer
from modelmesh.contracts import OPERATIONS
from modelmesh.contracts.call import Call
from modelmesh.contracts.provider import Answer
from modelmesh.errors import BadUpstreamResponseError, ProviderError

MESSAGE = {"id": "msg_1", "type": "message", "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"}
RESPONSE = {"id": "resp_1", "status": "completed", "output": [{"type": "message", "content": []}]}
TEXT = {"choices": [{"index": 0, "text": "Hi", "finish_reason": "stop"}]}


def checked(name: str, body: Any, **payload: Any) -> Any:
    before = copy.deepcopy(body)
    found = check_answer(Call(OPERATIONS[name], "p", payload), Answer(body), "acme")
    assert body == before, "what a provider returned may be shared, and is not changed"
    return found.body if isinstance(found, Answer) else found


VALID: list[tuple[str, Any, dict[str, Any]]] = [
    ("completions", TEXT, {}),
    ("messages", MESSAGE, {}),
    ("messages", {**MESSAGE, "content": []}, {}),
    ("audio.speech", b"audio", {}),
    ("audio.transcriptions", {"text": ""}, {}),
    ("audio.transcriptions", {"text": "Hi", "usage": {"type": "duration", "seconds": 3}}, {}),
    ("audio.transcriptions", "1\n00:00:00,000 --> 00:00:01,000\nHi\n", {"response_format": "srt"}),
    ("audio.transcriptions", "", {"response_format": "text"}),
    ("audio.translations", "Hi", {"response_format": "vtt"}),
    ("images.generate", {"data": [{"url": "https://x.test/a.png"}, {"b64_json": "aGk="}]}, {}),
    ("images.edit", {"data": [{"b64_json": "aGk="}]}, {}),
    ("moderations", {"results": [{"flagged": False}]}, {"input": "a"}),
    ("moderations", {"results": [{"flagged": False}, {"flagged": True}]}, {"input": ["a", "b"]}),
    ("moderations", {"results": [{"flagged": False}]}, {"input": [{"type": "text", "text": "a"}, {"type": "image_url"}]}),
    (
        "rerank",
        {"results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0}]},
        {"documents": ["a", "b"]},
    ),
    ("search", {"results": []}, {}),
    ("search", {"results": [{"url": "https://x.test"}]}, {}),
    ("documents.parse", {"pages": [{"markdown": "Hi"}]}, {}),
    ("files.content", b"", {}),
]

INVALID: list[tuple[str, Any, dict[str, Any]]] = [
    *[(name, body, {}) for name in OPERATIONS if not name.startswith("audio.t") for body in (None, 5, [], {})],
    ("completions", {"choices": []}, {}),
    ("completions", {"choices": [{"text": None, "finish_reason": "stop"}]}, {}),
    ("completions", {"choices": [{"text": "Hi"}]}, {}),
    ("messages", {**MESSAGE, "stop_reason": None}, {}),
    ("messages", {**MESSAGE, "content": ["Hi"]}, {}),
    ("messages", {**MESSAGE, "content": [{}]}, {}),
    ("responses", {**RESPONSE, "id": None}, {}),
    ("responses", {**RESPONSE, "output": []}, {}),
    ("responses", {**RESPONSE, "output": {}}, {}),
    ("responses", {**RESPONSE, "output": [{"type": None}]}, {}),
    ("responses", {**RESPONSE, "output": [{"type": "message", "content": None}]}, {}),
    ("responses", {**RESPONSE, "output": [{"type": "message", "content": [None]}]}, {}),
    ("responses", {**RESPONSE, "output": [{"type": "message", "content": [{"type": "output_text", "text": 5}]}]}, {}),
    ("audio.speech", b"", {}),
    ("audio.speech", "text", {}),
    ("audio.speech", {"audio": "x"}, {}),
    ("audio.transcriptions", {"text": None}, {}),
    ("audio.transcriptions", {}, {}),
    ("audio.transcriptions", b"Hi", {}),
    ("audio.transcriptions", {"text": "Hi"}, {"response_format": "srt"}),
    ("audio.transcriptions", "Hi", {"response_format": "verbose_json"}),
    ("images.generate", {"data": []}, {}),
    ("images.generate", {"data": [{}]}, {}),
    ("images.generate", {"data": [{"url": ""}]}, {}),
    ("images.generate", {"data": [{"b64_json": ""}]}, {}),
    ("images.generate", {"data": ["x"]}, {}),
    ("moderations", {"results": [{"flagged": False}]}, {"input": ["a", "b"]}),
    ("moderations", {"results": [{}]}, {"input": "a"}),
    ("rerank", {"results": [{"index": 2, "relevance_score": 0.9}]}, {"documents": ["a", "b"]}),
    ("rerank", {"results": [{"index": -1, "relevance_score": 0.9}]}, {"documents": ["a", "b"]}),
    ("rerank", {"results": [{"index": 0, "relevance_score": 1}, {"index": 0, "relevance_score": 1}]}, {"documents": ["a", "b"]}),
    ("rerank", {"results": [{"index": 0, "relevance_score": "high"}]}, {"documents": ["a"]}),
    ("search", {"results": None}, {}),
    ("search", {"results": ["x"]}, {}),
]


@pytest.mark.parametrize(("name", "body", "payload"), VALID, ids=lambda one: str(one)[:40])
def test_valid_answer(name: str, body: Any, payload: Any) -> None:
    assert checked(name, body, **payload) == body


@pytest.mark.parametrize(("name", "body", "payload"), INVALID, ids=lambda one: str(one)[:40])
def test_invalid_answer(name: str, body: Any, payload: Any) -> None:
    found = checked(name, body, **payload)
    assert isinstance(found, BadUpstreamResponseError)
    assert found.message.startswith("the provider answered, but ")


def test_transcription_takes_the_requested_form() -> None:
    assert checked("audio.transcriptions", {"text": "Hi"}, response_format="text") == "Hi"
    assert checked("audio.transcriptions", "Hi", response_format="json") == {"text": "Hi"}
    assert checked("audio.transcriptions", "Hi") == {"text": "Hi"}


@pytest.mark.parametrize(
    ("body", "output"),
    [(RESPONSE, 1), ({**RESPONSE, "output": [], "status": "queued"}, 0), ({**RESPONSE, "output": [], "status": "incomplete"}, 0)],
)
def test_response_has_a_qualified_id(body: Any, output: int) -> None:
    found = checked("responses", {**body, "previous_response_id": "resp_0"})
    assert (found["id"], found["previous_response_id"], len(found["output"])) == ("resp_1@acme", "resp_0@acme", output)


@pytest.mark.parametrize(
    ("name", "body", "failure"),
    [
        ("responses", {**RESPONSE, "status": "failed", "error": {"code": "rate_limit_exceeded", "message": "slow"}}, "throttle"),
        ("responses", {**RESPONSE, "status": "failed", "error": {"code": "server_error", "message": "x"}}, "server"),
        ("messages", {"type": "error", "error": {"type": "overloaded_error", "message": "x"}}, "server"),
        ("images.generate", {"error": {"code": "insufficient_quota", "message": "x"}}, "quota"),
        ("files.create", {"error": {"code": "invalid_purpose", "message": "x"}}, "refused"),
    ],
)
def test_failure_in_an_answer(name: str, body: Any, failure: str) -> None:
    found = checked(name, body)
    assert isinstance(found, ProviderError)
    assert found.failure.value == failure


@pytest.mark.parametrize(
    ("name", "body", "usage"),
    [
        ("responses", RESPONSE, {"input_tokens": 5, "output_tokens": -2}),
        ("images.generate", {"data": [{"b64_json": "aGk="}]}, "many"),
    ],
)
def test_invalid_usage_is_dropped(name: str, body: Any, usage: Any) -> None:
    assert checked(name, {**body, "usage": usage})["usage"] is None

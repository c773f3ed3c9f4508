"""Messages as Mistral takes them: its own chunks go back as they came, another vendor's fields do not go at all."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from modelmesh_connector_mistral import MistralProvider
from modelmesh_connector_mistral.message_rules import RULES

from modelmesh.contracts import CHAT, FailureClass
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ProviderError
from modelmesh_cdk import WireRequest
from modelmesh_cdk.message_rules import find_violations
from modelmesh_cdk.testing import Upstream
from modelmesh_cdk.testing.upstream import chunk, event

HI = {"role": "user", "content": "Hello"}
CALL = {"id": "M12345678", "type": "function", "function": {"name": "f", "arguments": "{}"}}
THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}], "signature": "c2lnbmVk", "closed": True}
CHUNKS = [THOUGHT, {"type": "text", "text": "Hi"}]


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def sent(*messages: dict[str, Any]) -> tuple[list[Any], list[str]]:
    before = copy.deepcopy(messages)
    request = WireRequest(Call(CHAT, "chat", {"messages": list(messages)}), "mistral-medium-3-5")
    body = json.loads(MistralProvider(api_key="test")._encode_request(request)[2])
    assert messages == before
    assert find_violations(body, RULES) == []
    return body["messages"], request.adapted


def test_chunks_go_back_as_they_came() -> None:
    kept = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm.", "content_chunks": CHUNKS}
    assert sent(HI, kept, HI) == ([HI, {"role": "assistant", "content": CHUNKS}, HI], [])


def test_a_text_that_was_changed_goes_as_it_is_now() -> None:
    kept = {"role": "assistant", "content": "Bye", "content_chunks": CHUNKS}
    messages, adapted = sent(kept, HI)
    assert messages == [{"role": "assistant", "content": "Bye"}, HI]
    assert adapted == ["content_chunks of messages left out: Mistral refuses it (messages[0])"]


def test_what_openais_messages_have_beyond_is_left_out_in_silence_when_it_says_nothing() -> None:
    said = {"role": "assistant", "content": "", "refusal": None, "annotations": [], "audio": None, "tool_calls": [CALL]}
    result = {"role": "tool", "tool_call_id": CALL["id"], "name": "f", "content": "x"}
    messages, adapted = sent(said, result)
    assert messages == [{"role": "assistant", "content": None, "tool_calls": [CALL]}, result]
    assert adapted == []


def test_sound_and_files_are_sent_as_mistral_spells_them() -> None:
    words = {"type": "text", "text": "What is said?"}
    heard = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
    read = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}}
    messages, adapted = sent({"role": "user", "content": [words, heard, read]})
    document = {"type": "document_url", "document_url": "data:application/pdf;base64,JVBERg==", "document_name": "a.pdf"}
    spelled = [words, {"type": "input_audio", "input_audio": "UklGRg=="}, document]
    assert messages == [{"role": "user", "content": spelled}]
    assert adapted == []
    own = {
        "role": "user",
        "content": [{"type": "input_audio", "input_audio": "UklGRg=="}, {"type": "input_audio", "input_audio": {}}],
    }
    assert sent(own) == ([own], [])


@pytest.mark.parametrize("name", ["reasoning_content", "audio", "name", "of_next_year"])
def test_what_said_something_is_named(name: str) -> None:
    messages, adapted = sent({"role": "assistant", "content": "x", name: "y"}, HI)
    assert messages == [{"role": "assistant", "content": "x"}, HI]
    assert adapted == [f"{name} of messages left out: Mistral refuses it (messages[0])"]


def test_a_refusal_is_what_was_said() -> None:
    assert sent({"role": "assistant", "content": None, "refusal": "No."}, HI)[0] == [{"role": "assistant", "content": "No."}, HI]


def test_names_of_participants_and_the_role_of_developers() -> None:
    messages, adapted = sent({"role": "developer", "content": "a", "name": "x"}, {**HI, "name": "y"})
    assert messages == [{"role": "system", "content": "a"}, HI]
    assert adapted == [
        "the role developer is sent as system (messages[0])",
        "name of messages left out: Mistral refuses it (messages[0], messages[1])",
    ]


def test_a_message_of_the_user_after_a_result_is_bridged() -> None:
    said = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    result = {"role": "tool", "tool_call_id": CALL["id"], "content": "x"}
    messages, adapted = sent(HI, said, result, HI)
    assert messages == [HI, said, result, {"role": "assistant", "content": "OK."}, HI]
    assert len(adapted) == 1


def test_a_prefix_of_the_caller_is_sent_and_another_last_answer_is_asked_to_go_on() -> None:
    begun = {"role": "assistant", "content": "It is", "prefix": True}
    assert sent(HI, begun) == ([HI, begun], [])
    messages, adapted = sent(HI, {"role": "assistant", "content": "It is"})
    assert messages[-1] == {"role": "user", "content": "Continue."}
    assert len(adapted) == 1


@pytest.mark.parametrize("given", ["call_1", "toolu_01ABC", "M12345678_", "ä23456789"])
def test_ids_are_nine_letters_and_digits(given: str) -> None:
    call, result = {**CALL, "id": given}, {"role": "tool", "tool_call_id": given, "content": "x"}
    (said, answered), adapted = sent({"role": "assistant", "content": None, "tool_calls": [call]}, result)
    spelled = said["tool_calls"][0]["id"]
    assert spelled.isascii()
    assert spelled.isalnum()
    assert len(spelled) == 9
    assert answered["tool_call_id"] == spelled
    assert adapted == ["IDs of tool calls spelled in nine letters and digits"]


def chunks_of(upstream: Upstream, *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    last = chunk({"content": ""}, finish="stop", usage={"total_tokens": 5})
    upstream.stream([*(event(chunk(delta)) for delta in deltas), event(last), event("[DONE]")])
    provider = MistralProvider(base_url=upstream.url, api_key="test")
    try:
        return [
            dict(one["choices"][0]["delta"]) for one in provider.send(Call(CHAT, "c", {"messages": [HI]}, True), "m", Limits())
        ]
    finally:
        provider.close()


def test_a_stream_gives_the_chunks_once_and_whole(upstream: Upstream) -> None:
    pieces: list[Any] = [{"type": "thinking", "thinking": [{"type": "text", "text": text}]} for text in ("H", "m.")]
    pieces[1] |= {"signature": "c2lnbmVk", "closed": True}
    deltas = chunks_of(upstream, *({"content": [piece]} for piece in pieces), {"content": "H"}, {"content": "i"})
    assert [delta.get("content_chunks") for delta in deltas] == [None, None, None, None, CHUNKS]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "Hm."
    assert "".join(delta.get("content") or "" for delta in deltas) == "Hi"


def test_a_stream_of_texts_alone_has_no_chunks(upstream: Upstream) -> None:
    assert not any("content_chunks" in delta for delta in chunks_of(upstream, {"content": "H"}, {"content": "i"}))


def test_two_signed_thoughts_stay_two(upstream: Upstream) -> None:
    deltas = chunks_of(upstream, {"content": [THOUGHT]}, {"content": [{**THOUGHT, "signature": "YW5vdGhlcg=="}]})
    assert [one["signature"] for one in deltas[-1]["content_chunks"]] == ["c2lnbmVk", "YW5vdGhlcg=="]


@pytest.mark.parametrize(
    "odd",
    [
        [{"type": "text", "text": 7}, {"type": "text", "text": "x"}],
        [{"type": "text", "text": "x"}] * 2 + [{"type": "text", "text": None}],
    ],
)
def test_chunks_that_cannot_be_read_are_a_failure(odd: list[Any], upstream: Upstream) -> None:
    with pytest.raises(ProviderError) as caught:
        chunks_of(upstream, {"content": odd})
    assert caught.value.failure is FailureClass.PROTOCOL

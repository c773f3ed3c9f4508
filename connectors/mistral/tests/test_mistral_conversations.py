"""Messages converted for Mistral: its content chunks are restored, fields of other vendors are dropped."""

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
from modelmesh_cdk.testing import Upstream, chunk, event

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


def test_messages_own_content_chunks_are_restored() -> None:
    kept = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm.", "content_chunks": CHUNKS}
    assert sent(HI, kept, HI) == ([HI, {"role": "assistant", "content": CHUNKS}, HI], [])


def test_messages_edited_text_replaces_content_chunks() -> None:
    kept = {"role": "assistant", "content": "Bye", "content_chunks": CHUNKS}
    messages, adapted = sent(kept, HI)
    assert messages == [{"role": "assistant", "content": "Bye"}, HI]
    assert adapted == ["content_chunks of messages left out: Mistral refuses it (messages[0])"]


def test_messages_empty_openai_fields_are_dropped_silently() -> None:
    given = {"role": "assistant", "content": "", "refusal": None, "annotations": [], "audio": None, "tool_calls": [CALL]}
    result = {"role": "tool", "tool_call_id": CALL["id"], "name": "f", "content": "x"}
    messages, adapted = sent(given, result)
    assert messages == [{"role": "assistant", "content": None, "tool_calls": [CALL]}, result]
    assert adapted == []


def test_messages_audio_and_files_have_mistrals_format() -> None:
    question = {"type": "text", "text": "Transcribe this."}
    audio = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
    file = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}}
    messages, adapted = sent({"role": "user", "content": [question, audio, file]})
    document = {"type": "document_url", "document_url": "data:application/pdf;base64,JVBERg==", "document_name": "a.pdf"}
    spelled = [question, {"type": "input_audio", "input_audio": "UklGRg=="}, document]
    assert messages == [{"role": "user", "content": spelled}]
    assert adapted == []
    own = {
        "role": "user",
        "content": [{"type": "input_audio", "input_audio": "UklGRg=="}, {"type": "input_audio", "input_audio": {}}],
    }
    assert sent(own) == ([own], [])


@pytest.mark.parametrize("name", ["reasoning_content", "audio", "name", "of_next_year"])
def test_messages_dropped_field_is_reported(name: str) -> None:
    messages, adapted = sent({"role": "assistant", "content": "x", name: "y"}, HI)
    assert messages == [{"role": "assistant", "content": "x"}, HI]
    assert adapted == [f"{name} of messages left out: Mistral refuses it (messages[0])"]


def test_messages_refusal_is_sent_as_content() -> None:
    assert sent({"role": "assistant", "content": None, "refusal": "No."}, HI)[0] == [{"role": "assistant", "content": "No."}, HI]


def test_messages_names_and_developer_role_are_adapted() -> None:
    messages, adapted = sent({"role": "developer", "content": "a", "name": "x"}, {**HI, "name": "y"})
    assert messages == [{"role": "system", "content": "a"}, HI]
    assert adapted == [
        "the role developer is sent as system (messages[0])",
        "name of messages left out: Mistral refuses it (messages[0], messages[1])",
    ]


def test_messages_user_after_tool_result_gets_bridge() -> None:
    call = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    result = {"role": "tool", "tool_call_id": CALL["id"], "content": "x"}
    messages, adapted = sent(HI, call, result, HI)
    assert messages == [HI, call, result, {"role": "assistant", "content": "OK."}, HI]
    assert len(adapted) == 1


def test_messages_last_assistant_needs_prefix_or_continue() -> None:
    begun = {"role": "assistant", "content": "It is", "prefix": True}
    assert sent(HI, begun) == ([HI, begun], [])
    messages, adapted = sent(HI, {"role": "assistant", "content": "It is"})
    assert messages[-1] == {"role": "user", "content": "Continue."}
    assert len(adapted) == 1


@pytest.mark.parametrize("given", ["call_1", "toolu_01ABC", "M12345678_", "ä23456789"])
def test_messages_tool_call_ids_have_nine_characters(given: str) -> None:
    call, result = {**CALL, "id": given}, {"role": "tool", "tool_call_id": given, "content": "x"}
    (calling, answered), adapted = sent({"role": "assistant", "content": None, "tool_calls": [call]}, result)
    spelled = calling["tool_calls"][0]["id"]
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


def test_stream_content_chunks_are_returned_once(upstream: Upstream) -> None:
    pieces: list[Any] = [{"type": "thinking", "thinking": [{"type": "text", "text": text}]} for text in ("H", "m.")]
    pieces[1] |= {"signature": "c2lnbmVk", "closed": True}
    deltas = chunks_of(upstream, *({"content": [piece]} for piece in pieces), {"content": "H"}, {"content": "i"})
    assert [delta.get("content_chunks") for delta in deltas] == [None, None, None, None, CHUNKS]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "Hm."
    assert "".join(delta.get("content") or "" for delta in deltas) == "Hi"


def test_stream_of_plain_text_has_no_content_chunks(upstream: Upstream) -> None:
    assert not any("content_chunks" in delta for delta in chunks_of(upstream, {"content": "H"}, {"content": "i"}))


def test_stream_signed_thoughts_stay_separate(upstream: Upstream) -> None:
    deltas = chunks_of(upstream, {"content": [THOUGHT]}, {"content": [{**THOUGHT, "signature": "YW5vdGhlcg=="}]})
    assert [one["signature"] for one in deltas[-1]["content_chunks"]] == ["c2lnbmVk", "YW5vdGhlcg=="]


@pytest.mark.parametrize(
    "odd",
    [
        [{"type": "text", "text": 7}, {"type": "text", "text": "x"}],
        [{"type": "text", "text": "x"}] * 2 + [{"type": "text", "text": None}],
    ],
)
def test_stream_malformed_content_chunk_is_protocol_failure(odd: list[Any], upstream: Upstream) -> None:
    with pytest.raises(ProviderError) as caught:
        chunks_of(upstream, {"content": odd})
    assert caught.value.failure is FailureClass.PROTOCOL

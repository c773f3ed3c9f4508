"""Conversion of a call to the library's request."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from modelmesh_connector_local.config import LocalConfig
from modelmesh_connector_local.message_rules import RULES
from modelmesh_connector_local.request import encode

from modelmesh.contracts import EMBEDDINGS, FailureClass
from modelmesh.contracts.call import Call
from modelmesh.errors import BadRequestError
from modelmesh_cdk.message_rules import find_violations
from modelmesh_cdk.testing import HISTORIES, History

CONFIG = LocalConfig(system="Be brief.", max_tokens=77, temperature=0.25)


def test_encode_missing_parameters_get_defaults(chat: Callable[..., Call]) -> None:
    call = chat()
    before = deepcopy(call.payload)
    request, adapted = encode(call, CONFIG)
    assert request["messages"] == [{"role": "system", "content": "Be brief."}, *before["messages"]]
    assert (request["max_tokens"], request["temperature"]) == (77, 0.25)
    assert len(adapted) == 3
    assert call.payload == before


def test_encode_given_parameters_are_kept(chat: Callable[..., Call]) -> None:
    said: dict[str, Any] = {
        "messages": [{"role": "system", "content": "Own."}, {"role": "user", "content": "Hi"}],
        "temperature": 0,
        "max_completion_tokens": 5,
        "seed": 1,
        "stop": ["\n"],
        "something_new": {"deep": [1]},
    }
    request, adapted = encode(chat(**said), CONFIG)
    assert {name: request[name] for name in said} == said
    assert "max_tokens" not in request
    assert adapted == []


def test_encode_null_parameters_get_defaults(chat: Callable[..., Call]) -> None:
    request, _ = encode(chat(temperature=None, max_tokens=None), CONFIG)
    assert (request["max_tokens"], request["temperature"]) == (77, 0.25)


def test_encode_developer_message_becomes_system(chat: Callable[..., Call]) -> None:
    messages = [{"role": "developer", "content": "Own."}, {"role": "user", "content": "Hi"}]
    request, adapted = encode(chat(messages=messages), CONFIG)
    assert request["messages"] == [{"role": "system", "content": "Own."}, messages[1]]
    assert any("developer" in line for line in adapted)


def test_encode_empty_system_setting_adds_no_message(chat: Callable[..., Call]) -> None:
    request, _ = encode(chat(), LocalConfig(system=""))
    assert [message["role"] for message in request["messages"]] == ["user"]


def test_encode_usage_is_requested_and_options_are_kept(chat: Callable[..., Call]) -> None:
    request, _ = encode(chat(stream_options={"other": 1}), CONFIG)
    assert request["stream_options"] == {"other": 1, "include_usage": True}


@pytest.mark.parametrize(
    "payload",
    [
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"functions": [{"name": "f"}]},
        {"n": 2},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "input_audio"}]}]},
    ],
)
def test_encode_unsupported_feature_is_capability_failure(payload: dict[str, Any], chat: Callable[..., Call]) -> None:
    with pytest.raises(BadRequestError) as caught:
        encode(chat(**payload), CONFIG)
    assert caught.value.failure is FailureClass.CAPABILITY


def test_encode_other_operation_is_capability_failure() -> None:
    with pytest.raises(BadRequestError) as caught:
        encode(Call(EMBEDDINGS, "text-embeddings", {"input": "x"}), CONFIG)
    assert caught.value.failure is FailureClass.CAPABILITY


def test_encode_empty_features_are_accepted(chat: Callable[..., Call]) -> None:
    request, _ = encode(chat(tools=[], n=1, messages=[{"role": "user", "content": [{"type": "text", "text": "x"}]}]), CONFIG)
    assert request["messages"][-1]["content"] == "x"


def test_encode_fields_of_other_vendors_are_dropped(chat: Callable[..., Call]) -> None:
    from modelmesh_connector_local import LocalProvider
    from modelmesh_connector_local.request import ID

    assert LocalProvider.id == ID
    said = {"role": "assistant", "content": "Hi", "thinking_blocks": [{"type": "thinking"}], "connector": "a.b.v1"}
    request, adapted = encode(chat(messages=[said]), LocalConfig())
    assert said in chat(messages=[said]).payload["messages"]
    assert {"role": "assistant", "content": "Hi"} in request["messages"]
    assert "thinking_blocks of messages[0] dropped: specific to a.b.v1" in adapted


@pytest.mark.parametrize("history", HISTORIES, ids=[history.name for history in HISTORIES])
def test_encode_foreign_conversations_obey_rules(history: History, chat: Callable[..., Call]) -> None:
    call = chat(**{**deepcopy(dict(history.parameters)), "tools": []}, messages=deepcopy(list(history.messages)))
    before = deepcopy(call.payload)
    try:
        request, _ = encode(call, CONFIG)
    except BadRequestError as error:
        assert history.may_refuse, error
        return
    assert find_violations(request, RULES) == []
    assert call.payload == before
    told = str(request["messages"])
    assert [word for word in re.findall(r"say-\w+", str(history.messages)) if word not in told] == []


def test_message_rules_have_sources() -> None:
    assert RULES.rules_without_source() == []

"""Adaptation: changes for a vendor are recorded, and the pool's setting permits or rejects them."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest

import modelmesh
from modelmesh._engine.telemetry.reporting import AdaptationWarning
from modelmesh_cdk.testing import Script, Upstream

MESSAGES = [{"role": "user", "content": "Hello!"}]
ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-5-5",
    "content": [{"type": "text", "text": "Hello!"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 1},
}


def client_of(anthropic: Upstream, openai: Upstream, **pool: Any) -> modelmesh.MeshClient:
    anthropic.always(Script(body=json.dumps(ANSWER).encode()))
    providers = {
        "anthropic": {
            "connector": "anthropic.claude.v1",
            "api_key": "test",
            "base_url": anthropic.url,
            "models": ["claude-sonnet-5-5"],
        },
        "openai": {"connector": "openai.llm.v1", "api_key": "sk-test", "base_url": openai.url, "models": ["gpt-4o"]},
    }
    return modelmesh.create(config={"providers": providers, "pools": {"chat-completion": pool}})


def test_adaptation_allow_is_recorded(upstream: Upstream, other: Upstream) -> None:
    with client_of(upstream, other) as client, warnings.catch_warnings():
        warnings.simplefilter("error")
        reply = client.chat.completions.create(model="chat-completion", messages=MESSAGES, max_tokens=5, temperature=0)
    assert reply.provider == "anthropic"
    assert "temperature" not in upstream.last.json
    assert any("temperature" in line for line in reply.attempts[-1].adapted)
    assert reply.metadata["adapted"] == tuple(reply.attempts[-1].adapted)


def test_adaptation_warn_issues_a_warning(upstream: Upstream, other: Upstream) -> None:
    with client_of(upstream, other, adaptation="warn") as client, pytest.warns(AdaptationWarning, match="temperature"):
        client.chat.completions.create(model="chat-completion", messages=MESSAGES, max_tokens=5, temperature=0)


def test_adaptation_strict_selects_an_unadapted_vendor(upstream: Upstream, other: Upstream) -> None:
    with client_of(upstream, other, adaptation="strict") as client:
        reply = client.chat.completions.create(model="chat-completion", messages=MESSAGES, max_tokens=5, temperature=0)
        assert reply.provider == "openai"
        assert reply.attempts[0].failure == "capability"
        assert upstream.received == []
        assert other.last.json["temperature"] == 0
        plain = client.chat.completions.create(model="chat-completion", messages=MESSAGES, max_tokens=5)
        assert plain.provider == "anthropic"


def test_adaptation_strict_without_alternative_raises(upstream: Upstream, other: Upstream) -> None:
    with client_of(upstream, other, adaptation="strict", providers=["anthropic"]) as client:
        with pytest.raises(modelmesh.BadRequestError, match="temperature"):
            client.chat.completions.create(model="chat-completion", messages=MESSAGES, max_tokens=5, temperature=0)
    assert upstream.received == []


def test_adaptation_strict_accepts_values_without_effect(upstream: Upstream, other: Upstream) -> None:
    nothing = {
        "n": 1,
        "presence_penalty": 0,
        "frequency_penalty": 0.0,
        "logprobs": False,
        "logit_bias": {},
        "stop": [],
        "tools": [],
    }
    with client_of(upstream, other, adaptation="strict") as client:
        reply = client.chat.completions.create(model="chat-completion", messages=MESSAGES, **nothing)
    assert reply.provider == "anthropic"
    assert [line.split(" added")[0].split()[0] for line in reply.attempts[-1].adapted] == ["max_tokens"]


def test_several_choices_select_a_supporting_vendor(upstream: Upstream, other: Upstream) -> None:
    with client_of(upstream, other) as client:
        reply = client.chat.completions.create(model="chat-completion", messages=MESSAGES, n=2)
    assert (reply.provider, reply.attempts[0].failure, upstream.received) == ("openai", "capability", [])

"""Parameters that a version of a vendor's API rejects: dropped, and noted on the attempt and in the log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from callers import QUESTION, Caller

import modelmesh

WAYS = ("object", "async object", "deltas", "async deltas")
GONE = {"temperature": 0.2, "top_p": 0.9, "top_k": 40}


def config_of(*vendors: Any, path: Path | None = None, **pool: Any) -> dict[str, Any]:
    config: dict[str, Any] = {"providers": {one.name: one.settings for one in vendors}, "pools": {"chat-completion": pool}}
    if path is not None:
        config["observability"] = {"connector": "modelmesh.file.v1", "path": str(path)}
    return config


def given(*names: str) -> dict[str, Any]:
    beyond_openai = {name: GONE[name] for name in names if name == "top_k"}
    return {**{name: GONE[name] for name in names if name != "top_k"}, **({"extra_body": beyond_openai} if beyond_openai else {})}


def of(lines: Any, name: str) -> list[str]:
    return [line for line in lines if line.startswith(f"{name} dropped")]


@pytest.mark.parametrize("name", GONE)
@pytest.mark.parametrize("way", WAYS)
def test_unsupported_parameter_is_dropped_and_noted(way: str, name: str, vendor: Any, tmp_path: Path) -> None:
    anthropic, log = vendor("anthropic"), tmp_path / "mesh.log"
    with Caller(way, config_of(anthropic, path=log)) as caller:
        caller.ask(**given(name))
        (attempt,) = caller.reply.attempts
    assert name not in anthropic.bodies[0]
    assert anthropic.upstream.last.headers["anthropic-version"] == "2026-10-21"
    assert len(of(attempt.adapted, name)) == 1
    records = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    (logged,) = [record for record in records if record["type"] == "log"]
    assert len(of(logged["attempts"][0]["adapted"], name)) == 1


@pytest.mark.parametrize("way", WAYS)
def test_failed_attempt_notes_dropped_parameter(way: str, vendor: Any) -> None:
    anthropic, openai = vendor("anthropic"), vendor("openai")
    anthropic.status = 529
    openai.asked = lambda body: ("?", 3 if body["temperature"] == 0.2 else 0)  # the next vendor takes it
    with Caller(way, config_of(anthropic, openai)) as caller:
        assert caller.ask(**given("temperature"))["content"] == "Rome is 18 degrees warmer."
        failed, answered = caller.reply.attempts
    assert (failed.outcome, len(of(failed.adapted, "temperature"))) == ("failed", 1)
    assert (answered.outcome, list(answered.adapted)) == ("answered", [])
    assert openai.bodies[0]["temperature"] == 0.2


@pytest.mark.parametrize("name", GONE)
@pytest.mark.parametrize("way", WAYS)
def test_strict_pool_rejects_unsupported_parameter(way: str, name: str, vendor: Any) -> None:
    anthropic = vendor("anthropic")
    plain = {"tools": None, "max_completion_tokens": None, "reasoning_effort": None, "max_tokens": 64}
    with Caller(way, config_of(anthropic, adaptation="strict")) as caller:
        caller.messages = [QUESTION]
        with pytest.raises(modelmesh.BadRequestError, match=f"{name} dropped.*strict") as refused:
            caller.ask(**{**plain, **given(name)})
        (attempt,) = refused.value.attempts
        assert anthropic.upstream.received == []
        assert (attempt.outcome, attempt.failure) == ("failed", "capability")
        assert len(of(attempt.adapted, name)) == 1
        caller.ask(**plain)  # which has nothing to be changed
    assert len(anthropic.bodies) == 1


def test_older_version_receives_parameters(vendor: Any) -> None:
    anthropic = vendor("anthropic")
    anthropic.asked = lambda body: ("?", 3)
    config = config_of(anthropic)
    config["providers"]["anthropic"]["anthropic_version"] = "2023-06-01"
    with Caller("object", config) as caller:
        caller.ask(**given(*GONE))
        assert not [line for name in GONE for line in of(caller.reply.attempts[0].adapted, name)]
    received = anthropic.upstream.last
    assert received.headers["anthropic-version"] == "2023-06-01"
    assert {name: received.json[name] for name in GONE} == GONE

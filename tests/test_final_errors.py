"""The final error of a request: one line with failure and remedy, then at most one line for each account."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

import modelmesh
from modelmesh._engine.foundation.attempts import Attempt
from modelmesh._engine.routing import final_errors
from modelmesh._engine.routing.selection_sets import SelectionSets
from modelmesh.contracts import CHAT, FailureClass
from modelmesh.contracts.call import Call
from modelmesh.errors import AllProvidersExhaustedError, BudgetExceededError, ModelMeshError, NoActiveModelError
from modelmesh_cdk.testing import Script, Upstream

MESSAGES = [{"role": "user", "content": "hi"}]
KEY = "sk-test-0123456789abcdef0"
MODELS = [f"m{number}" for number in range(19)]


def refusal(status: int, code: str | None, message: str, **headers: str) -> Script:
    body = {"error": {"message": message, "code": code}}
    return Script(status, json.dumps(body).encode(), headers={name.replace("_", "-"): value for name, value in headers.items()})


def account(url: str, models: list[str], key: str = "${env:OPENAI_API_KEY}") -> dict[str, Any]:
    return {"connector": "openai.llm.v1", "base_url": url, "api_key": key, "models": models}


def final_error(providers: dict[str, Any], *, timeout: float | None = None, **pool: Any) -> ModelMeshError:
    config = {"providers": providers, "pools": {"chat": {"capability": "chat-completion", "retry": {"max_attempts": 0}, **pool}}}
    with modelmesh.create(config=config) as client, pytest.raises(ModelMeshError) as caught:
        client.chat.completions.create(model="chat", messages=MESSAGES, timeout=timeout)
    return caught.value


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


CASES = [
    (
        refusal(401, "invalid_api_key", f"Bad key: {KEY}.\nFind it."),
        "openai rejected the key in OPENAI_API_KEY (401 invalid_api_key): Bad key: …. Find it. Set a valid key: export OPENAI_API_KEY=…",
    ),
    (
        refusal(403, "no_access", "Not for you"),
        "openai denied access to m0 (403 no_access): Not for you. Give the account of the key",
    ),
    (
        refusal(429, "insufficient_quota", "You exceeded your current quota"),
        "openai has no quota left (429 insufficient_quota): You exceeded your current quota. Add credit to the account",
    ),
    (
        refusal(429, "rate_limit_exceeded", "Slow down", retry_after="600"),
        "openai limited the rate of requests to m0 (429 rate_limit_exceeded): Slow down. Retry in 1",
    ),
    (refusal(503, None, "Down"), "openai failed (503): Down. Retry "),
    (
        refusal(404, "model_not_found", "No such model"),
        "openai does not have the model m0 (404 model_not_found): No such model. ",
    ),
    (
        refusal(400, "context_length_exceeded", "Too long"),
        "the request is too long for openai/m0 (400 context_length_exceeded): Too long. Shorten the messages",
    ),
    (Script(502, b"<html><body>Bad gateway</body></html>"), "openai failed (502). Retry "),
    (Script(200, b"not json"), "openai/m0 returned an invalid response"),
]


@pytest.mark.parametrize(("script", "first"), CASES, ids=[first[:40] for _, first in CASES])
def test_final_error_first_line_names_failure_and_advice(script: Script, first: str) -> None:
    with Upstream() as upstream:
        upstream.always(script)
        error = final_error({"openai": account(upstream.url, MODELS)})
    lines = str(error).splitlines()
    assert lines[0].startswith(first)
    assert "(pool 'chat': " in lines[0]
    assert len(lines) <= 2, "one account, one line"
    assert len(error.details["attempts"]) + len(error.details["passed_over"]) >= len(MODELS)
    assert KEY not in repr(vars(error)) + str(error)


def test_final_error_rejected_key_is_one_line_per_account() -> None:
    with Upstream() as upstream:
        upstream.always(refusal(401, "invalid_api_key", "Bad"))
        error = final_error({"openai": account(upstream.url, MODELS)})
    (line,) = str(error).splitlines()[1:]
    assert line.startswith("  openai/m0: key rejected (401 invalid_api_key) after ")
    assert line.endswith("; 18 more models of openai were not tried: same key")


def test_final_error_no_network_names_address_and_reason() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        error = final_error({"openai": account(url, ["m"])})
    assert str(error).startswith(f"cannot connect to openai at {url}: Connection refused. Check the network, ")
    assert error.details["attempts"][0]["address"] == url


def test_final_error_timeout_names_its_duration() -> None:
    with Upstream() as upstream:
        upstream.always(Script(200, b"{}", delay=5.0))
        error = final_error({"openai": account(upstream.url, ["m"])}, timeouts={"total": 1.5})
    assert "openai/m timed out after 1." in str(error).splitlines()[0]


def test_final_error_shows_the_repairable_failure_first() -> None:
    with Upstream() as down, Upstream() as refusing:
        down.always(refusal(500, None, "Boom"))
        refusing.always(refusal(401, None, "Bad key"))
        error = final_error({"a": account(down.url, ["m"]), "b": account(refusing.url, ["n"], "test-inline-key")})
    first, *lines = str(error).splitlines()
    assert first.startswith("b rejected the key in providers.b.api_key (401): Bad key. Correct the key at providers.b.api_key.")
    assert [line.partition(" after ")[0] for line in lines] == ["  a/m: server error (500)", "  b/n: key rejected (401)"]
    assert isinstance(error, AllProvidersExhaustedError)
    assert (error.status, error.provider_id, error.last_error.status) == (401, "b", 401)


def test_final_error_vendor_text_is_cut_at_300_characters() -> None:
    with Upstream() as upstream:
        upstream.always(refusal(401, None, "x" * 5000 + KEY))
        error = final_error({"openai": account(upstream.url, ["m"])})
    assert str(error).count("x") < 310
    assert len(error.attempts[0].message) == 300


def test_no_active_model_after_a_rejected_key_names_the_key() -> None:
    with Upstream() as upstream:
        upstream.always(refusal(401, None, "Bad key"))
        config = {"providers": {"openai": account(upstream.url, MODELS)}, "pools": {"chat": {"capability": "chat-completion"}}}
        with modelmesh.create(config=config) as client:
            with pytest.raises(AllProvidersExhaustedError):
                client.chat.completions.create(model="chat", messages=MESSAGES)
            with pytest.raises(NoActiveModelError) as caught:
                client.chat.completions.create(model="chat", messages=MESSAGES)
    (line,) = str(caught.value).splitlines()
    assert "account in cooldown for " in line
    assert ": key rejected (401). Set a valid key: export OPENAI_API_KEY=…" in line


def test_caller_error_names_the_provider_and_keeps_its_class() -> None:
    with Upstream() as upstream:
        upstream.always(refusal(400, "invalid_value", "temperature must be at most 2"))
        error = final_error({"openai": account(upstream.url, ["m"])})
    assert isinstance(error, modelmesh.BadRequestError)
    assert "openai refused the request (400 invalid_value): temperature must be at most 2. " in str(error)


def test_budget_error_small_amounts_have_no_exponent() -> None:
    pricing = {"input_per_1k_tokens": 0.01, "output_per_1k_tokens": 0.01}
    with Upstream() as upstream:
        providers = {"a": {**account(upstream.url, []), "models": [{"id": "m", "pricing": pricing}]}}
        config = {
            "providers": providers,
            "pools": {"chat": {"capability": "chat-completion"}},
            "budget": {"daily_limit": 0.000001},
        }
        with modelmesh.create(config=config) as client, pytest.raises(BudgetExceededError) as caught:
            client.chat.completions.create(model="chat", messages=MESSAGES)
    assert "$0.000001" in str(caught.value)
    assert "e-0" not in str(caught.value)


def test_final_error_of_an_ended_request_names_the_limit() -> None:
    with Upstream() as upstream:
        config = {"providers": {"a": account(upstream.url, ["m"])}, "pools": {"chat": {"capability": "chat-completion"}}}
        with modelmesh.create(config=config) as client:
            (pool,) = client.mesh.list_pools()
            attempt = Attempt(1, "a", "m", outcome="failed", failure="server", status=503, ms=3.0)
            last = modelmesh.ProviderServerError("down", failure=FailureClass.SERVER, status=503)
            error = final_errors.no_target_answered(
                pool, Call(CHAT, "chat", {}), SelectionSets(1, 1, 1), [attempt], last, 0.0, ended="its 30 s are over"
            )
    assert str(error).endswith("(pool 'chat': 1 attempt at a/m; ended: its 30 s are over)")
    assert error.details["ended"] == "its 30 s are over"


def test_request_log_omits_the_vendor_text(tmp_path: Path) -> None:
    pytest.importorskip("modelmesh_observability_file")
    prompt = "a prompt that the vendor repeats"
    with Upstream() as upstream:
        upstream.always(refusal(500, None, f"Cannot answer: {prompt}"))
        config = {
            "providers": {"a": account(upstream.url, ["m"])},
            "pools": {"chat": {"capability": "chat-completion"}},
            "observability": {"connector": "modelmesh.file.v1", "path": str(tmp_path / "log.jsonl")},
        }
        with modelmesh.create(config=config) as client, pytest.raises(ModelMeshError, match=prompt):
            client.chat.completions.create(model="chat", messages=MESSAGES)
    assert prompt not in (tmp_path / "log.jsonl").read_text()

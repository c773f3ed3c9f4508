"""The configurations of the project's founding documents, unchanged, with keys in the environment."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
from fakevendors import WAYS, Account, Street
from opening import MESSAGES, ask

import modelmesh
from modelmesh import MeshConfig

FILE = textwrap.dedent("""
    secrets:
      store: modelmesh.env.v1 # read API keys from env vars
    providers:
      openai.llm.v1:
        api_key: ${secrets:OPENAI_API_KEY}
        budget:
          daily_limit: 5.00 # optional cost cap
      anthropic.claude.v1:
        api_key: ${secrets:ANTHROPIC_API_KEY}
    models:
      gpt-4o-mini:
        provider: openai.llm.v1
        capabilities:
          - generation.text-generation.chat-completion
        constraints:
          context_window: 128000
          max_output_tokens: 16384
      claude-3-5-haiku:
        provider: anthropic.claude.v1
        capabilities:
          - generation.text-generation.chat-completion
        constraints:
          context_window: 200000
          max_output_tokens: 8192
    pools:
      text-generation:
        strategy: modelmesh.stick-until-failure.v1
        capability: generation.text-generation
""")
DICTIONARY = {
    "providers": {
        "openai": {"connector": "openai.llm.v1", "config": {"api_key": "${secrets:openai-key}"}},
        "anthropic": {"connector": "anthropic.claude.v1", "config": {"api_key": "${secrets:anthropic-key}"}},
    },
    "pools": {"chat-completion": {"capability": "chat-completion", "strategy": "cost-first"}},
}
MODELS = ("gpt-4o-mini", "claude-3-5-haiku")
SERVED = [way.name for way in WAYS.values() if way.name != "hang"]


def keys(monkeypatch: pytest.MonkeyPatch, openai: Account, anthropic: Account) -> None:
    """Set the variables of the documents, and the addresses of the fake vendors."""
    for account, prefix in ((openai, "OPENAI"), (anthropic, "ANTHROPIC")):
        for name in (f"{prefix}_API_KEY", f"{prefix}_KEY"):
            monkeypatch.setenv(name, account.settings["api_key"])
        monkeypatch.setenv(f"{prefix}_BASE_URL", account.url)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("way", ["", *SERVED])
def test_quick_start_file_serves_while_one_vendor_fails(
    way: str, stream: bool, street: Street, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    openai, anthropic = street.account("openai", way, models=MODELS), street.account("anthropic", models=MODELS)
    keys(monkeypatch, openai, anthropic)
    (tmp_path / "modelmesh.yaml").write_text(FILE)
    with modelmesh.create(config=str(tmp_path / "modelmesh.yaml")) as client:
        texts = [ask(client, "text-generation", stream=stream) for _ in range(3)]
    assert {text.split()[0] for text in texts} == {"anthropic" if way else "openai"}
    assert not anthropic.refused
    assert all(body["max_tokens"] == 8192 for _, body in anthropic.calls), "constraints.max_output_tokens"


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("kind", [dict, MeshConfig.from_dict])
def test_layer_2_dictionary_is_cheapest_and_fails_over(
    kind: Any, stream: bool, street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    openai, anthropic = street.account("openai"), street.account("anthropic")
    keys(monkeypatch, openai, anthropic)
    with modelmesh.create(config=kind(DICTIONARY)) as client:
        first = ask(client, stream=stream).split()[0]
        failing, other = (openai, "anthropic") if first == "openai" else (anthropic, "openai")
        failing.way = "overloaded"
        assert [ask(client, stream=stream).split()[0] for _ in range(3)] == [other] * 3


def test_layer_1_line_needs_only_environment_keys(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    keys(monkeypatch, street.account("openai", "throttled"), street.account("anthropic"))
    client = modelmesh.create("chat-completion")
    response = client.chat.completions.create(model="chat-completion", messages=MESSAGES)
    assert response.choices[0].message.content.startswith("anthropic answers.")
    client.close()

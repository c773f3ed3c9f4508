"""References: accepted positions, resolution, and errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh import ModelMesh, create, register_connector
from modelmesh._engine.builtin.env import EnvironmentStore
from modelmesh._engine.config.references import References, has_reference
from modelmesh._engine.config.source_map import SourceMap
from modelmesh.contracts import Secret
from modelmesh.errors import ConfigurationError, ModelMeshError, SecretNotFoundError


class Store:
    id = "test.store.v1"

    def __init__(self, values: dict[str, str] | None = None) -> None:
        self.values = {"key": "value-test", "other.name-1": "second-test"} if values is None else values
        self.lookups: list[str] = []

    def get(self, name: str) -> str:
        self.lookups.append(name)
        return self.values[name]


def resolve(value: Any, store: Any = None) -> Any:
    return References(store or Store(), SourceMap()).resolve(value, ("here",))


def shown(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else value


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("${secrets:key}", "value-test"),
        ("Bearer ${secrets:key}", "Bearer value-test"),
        ("${secrets:key}/${secrets:other.name-1}", "value-test/second-test"),
        ("${env:SOME_VARIABLE}", "from-env"),
        ("${SOME_VARIABLE}", "from-env"),
        ("$${secrets:key}", "${secrets:key}"),
        ("$${a} ${secrets:key}", "${a} value-test"),
        ("$5 {a} $ }", "$5 {a} $ }"),
        ("", ""),
    ],
)
def test_references_resolve_every_form(written: str, meant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_VARIABLE", "from-env")
    found = resolve(written)
    assert shown(found) == meant
    assert isinstance(found, Secret) is ("test" in meant or "from-env" in meant)
    assert "value-test" not in repr(found)
    assert "value-test" not in f"{found}"


def test_references_resolve_in_lists_and_maps() -> None:
    store = Store()
    given_ = {"tokens": ["${secrets:key}", {"deep": ["a ${secrets:key}", 5, None]}], "headers": {"X": "${secrets:key}"}, "n": 1}
    before = repr(given_)
    found = resolve(given_, store)
    assert [shown(found["tokens"][0]), shown(found["tokens"][1]["deep"][0])] == ["value-test", "a value-test"]
    assert found["tokens"][1]["deep"][1:] == [5, None]
    assert shown(found["headers"]["X"]) == "value-test"
    assert repr(given_) == before


def test_references_leave_other_values_unchanged() -> None:
    live = object()
    assert resolve({"instance": live, "n": 2.5})["instance"] is live
    assert resolve(Secret("${secrets:key}")) == Secret("${secrets:key}")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("${secrets:}", "has no name"),
        ("${secrets: }", "has no name"),
        ("${}", "has no name"),
        ("${env:}", "has no name"),
        ("${secrets:key", "is not closed"),
        ("a ${", "is not closed"),
        ("${secrets:${secrets:key}}", "is not closed"),
        ("${vault:key}", "unknown scheme 'vault'"),
    ],
)
def test_references_malformed_raises(written: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        resolve({"a": [written]})
    assert caught.value.where == "here.a[0]"  # type: ignore[attr-defined]
    assert not isinstance(caught.value, KeyError)


def test_references_malformed_message_is_truncated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve("${secrets:key sk-test-" + "x" * 80)
    assert "x" * 20 not in str(caught.value)


def test_references_missing_secret_error_has_no_value() -> None:
    with pytest.raises(KeyError) as caught:
        resolve({"a": {"b": "Bearer ${secrets:nope}"}})
    error = caught.value
    assert isinstance(error, SecretNotFoundError)
    assert isinstance(error, ValueError)
    assert "here.a.b: ${secrets:nope} has no value in test.store.v1 (searched for: nope)" in str(error)
    assert "value-test" not in str(error)


@pytest.mark.parametrize("value", [None, ""])
def test_references_empty_variable_is_missing(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is not None:
        monkeypatch.setenv("SOME_VARIABLE", value)
    for written in ("${SOME_VARIABLE}", "${env:SOME_VARIABLE}"):
        with pytest.raises(
            SecretNotFoundError, match=r"in the environment \(searched for: SOME_VARIABLE\).*export SOME_VARIABLE="
        ):
            resolve(written)


def test_environment_store_tries_exact_name_then_upper_case(monkeypatch: pytest.MonkeyPatch) -> None:
    store = EnvironmentStore()
    with pytest.raises(
        SecretNotFoundError, match=r"searched for: openai\.my-key, OPENAI_MY_KEY\)\. Set it, e\.g\. export OPENAI_MY_KEY="
    ):
        resolve("${secrets:openai.my-key}", store)
    monkeypatch.setenv("OPENAI_MY_KEY", "shouted-test")
    assert shown(resolve("${secrets:openai.my-key}", store)) == "shouted-test"
    monkeypatch.setenv("openai.my-key", "exact-test")
    assert shown(resolve("${secrets:openai.my-key}", store)) == "exact-test"


def test_environment_store_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_KEY", "prefixed-test")
    assert shown(resolve("${secrets:key}", EnvironmentStore({"prefix": "APP_"}))) == "prefixed-test"
    with pytest.raises(SecretNotFoundError, match="searched for: APP_nope, APP_NOPE"):
        resolve("${secrets:nope}", EnvironmentStore({"prefix": "APP_"}))


def test_references_in_secrets_use_environment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Vault(Store):
        def __init__(self, config: dict[str, Any]) -> None:
            super().__init__({"key": shown(config["passphrase"])})

    register_connector("acme.vault.v1", Vault)
    config = {"secrets": {"store": "acme.vault.v1", "passphrase": "${VAULT_PASS}"}}
    monkeypatch.setenv("VAULT_PASS", "open-test")
    with ModelMesh() as mesh:
        mesh.initialize(config)
    with pytest.raises(ConfigurationError, match="is inside 'secrets', where no store exists yet"):
        create(config={"secrets": {"store": "acme.vault.v1", "passphrase": "${secrets:x}"}, "providers": {"a": {}}})


def test_references_resolve_through_a_mesh(scripted: Any) -> None:
    made = []

    class Provider(scripted):
        @classmethod
        def from_config(cls, config: Any) -> Any:
            made.append(config)
            return cls()

    register_connector("acme.llm.v1", Provider)
    store = Store()
    raw = {
        "secrets": {"instance": store},
        "providers": {
            "acme.llm.v1": {"api_key": "${secrets:key}", "base_url": "http://${secrets:key}.test", "headers": {"X": ["${secrets:key}"]}, "organization": "$${x}"},
            "off": {"enabled": False, "connector": "acme.llm.v1", "api_key": "${secrets:nope}"},
        },
        "pools": {"chat-completion": {}},
    }  # fmt: skip
    with create(config=raw) as client:
        assert client.active_providers() == ["acme.llm.v1"]
    (settings,) = made
    assert settings["api_key"].reveal() == "value-test"
    assert settings["base_url"] == "http://value-test.test"
    assert settings["headers"]["X"][0].reveal() == "value-test"
    assert settings["organization"] == "${x}"
    assert raw["providers"]["acme.llm.v1"]["api_key"] == "${secrets:key}"
    assert store.lookups == ["key"] * 3


def test_references_missing_secret_states_position(tmp_path: Path, scripted: Any) -> None:
    register_connector("acme.llm.v1", scripted)
    file = tmp_path / "m.yaml"
    file.write_text("providers:\n  acme.llm.v1:\n    headers:\n      X-Auth: Bearer ${secrets:nope}\npools:\n  chat: {}\n")
    with pytest.raises(SecretNotFoundError, match=r"m\.yaml:4:7: providers\.acme\.llm\.v1\.headers\.X-Auth: \$\{secrets:nope\}"):
        create(config=str(file))


def test_has_reference_finds_references() -> None:
    assert has_reference("a ${B}")
    assert not has_reference("$B")
    assert not has_reference(5)


@given(st.text("${}:secrtky ", max_size=30))
def test_references_any_text_resolves_or_raises_typed_error(text: str) -> None:
    try:
        found = resolve(text)
    except ModelMeshError as error:
        assert isinstance(error, ConfigurationError)
        assert "value-test" not in str(error)
    else:
        if "${" not in text:
            assert found == text
        assert isinstance(found, str | Secret)


@given(st.text(max_size=30))
def test_references_doubled_dollar_is_literal(text: str) -> None:
    literal = text.replace("${", "$${")
    if "$${" not in text and not text.endswith("$"):
        assert resolve(literal) == text

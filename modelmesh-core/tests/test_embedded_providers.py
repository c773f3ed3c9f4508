"""Providers that need no key: each serves the capabilities that no other provider has."""

from __future__ import annotations

from typing import Any

import pytest

import modelmesh
from modelmesh._engine.autodetect import DetectedProvider
from modelmesh.contracts.models import ModelInfo
from modelmesh.errors import NoProvidersError


class Embedded:
    """A provider in process. Its subclasses state a capability, an operation, or neither."""

    built: list[str] = []

    def __init__(self, config: Any = None, **settings: Any) -> None:
        self.built.append(self.id)

    def models(self) -> list[ModelInfo]:
        return [ModelInfo(self.id.split(".")[1], capabilities=(self.offers,))]

    def send(self, call: Any, model: str, limits: Any) -> Any: ...

    async def asend(self, call: Any, model: str, limits: Any) -> Any: ...

    def close(self) -> None: ...

    async def aclose(self) -> None: ...


class Chat(Embedded):
    id = "test.chat.v1"
    offers = "chat-completion"


class Speech(Embedded):
    id = "test.speech.v1"
    offers = "text-to-speech"
    operations = ("audio.speech",)


class Embeddings(Embedded):
    id = "test.embeddings.v1"
    offers = "text-embeddings"
    capabilities = ("text-embeddings",)


class Keyed(Embedded):
    id = "test.keyed.v1"
    offers = "chat-completion"


EMBEDDED = (Chat, Speech, Embeddings)


@pytest.fixture
def keyed(monkeypatch: pytest.MonkeyPatch) -> list[DetectedProvider]:
    """Register the providers in process. The list has those that are detected by a key."""
    found: list[DetectedProvider] = []
    Embedded.built.clear()
    for cls in (*EMBEDDED, Keyed):
        modelmesh.register_connector(cls.id, cls)
    every = [DetectedProvider(cls.id.split(".")[1], cls.id, embedded=True) for cls in EMBEDDED]
    monkeypatch.setattr("modelmesh._engine.create.embedded", lambda catalog: every)
    monkeypatch.setattr("modelmesh._engine.create.detect", lambda catalog, **arguments: list(found) or every)
    return found


def members(*capabilities: str) -> dict[str, list[str]]:
    with modelmesh.create(*capabilities) as client:
        return {pool.name: [str(one) for one in pool.members] for pool in client.mesh.list_pools()}


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize(
    ("capability", "model", "built"),
    [
        ("chat-completion", "chat/chat", Chat),
        ("code-generation", "chat/chat", Chat),
        ("text-to-speech", "speech/speech", Speech),
        ("embeddings", "embeddings/embeddings", Embeddings),
    ],
)
def test_create_without_keys_uses_the_provider_of_the_capability(capability: str, model: str, built: type[Embedded]) -> None:
    assert members(capability) == {capability: [model]}
    assert Embedded.built == [built.id], "no other one is built"


@pytest.mark.usefixtures("keyed")
def test_create_without_keys_serves_several_capabilities() -> None:
    assert members("text-to-speech", "chat-completion") == {"text-to-speech": ["speech/speech"], "chat-completion": ["chat/chat"]}


@pytest.mark.usefixtures("keyed")
def test_create_without_keys_names_what_is_missing() -> None:
    with pytest.raises(NoProvidersError) as caught:
        members("text-to-image")
    assert "text-to-image" in caught.value.__notes__[-1]


def test_create_with_keys_adds_only_what_the_keys_lack(keyed: list[DetectedProvider]) -> None:
    keyed.append(DetectedProvider("keyed", Keyed.id))
    assert members("chat-completion") == {"chat-completion": ["keyed/keyed"]}
    assert Embedded.built == [Keyed.id]
    found = members("chat-completion", "text-to-speech")
    assert found == {"chat-completion": ["keyed/keyed"], "text-to-speech": ["speech/speech"]}


def test_named_providers_and_models_are_not_extended(keyed: list[DetectedProvider]) -> None:
    keyed.append(DetectedProvider("keyed", Keyed.id))
    for arguments in ({"providers": ["keyed"]}, {"models": ["keyed"]}):
        with pytest.raises(modelmesh.errors.ConfigurationError):
            modelmesh.create("text-to-speech", **arguments)  # type: ignore[arg-type]

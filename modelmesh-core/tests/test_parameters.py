"""Parameters of a call: misspelled names, strict clients, and one list of names for types and run time."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from importlib.metadata import version
from typing import Any, get_overloads

import pytest
from hypothesis import given
from hypothesis import strategies as st

import modelmesh
from modelmesh.client import MeshClient, MisspelledParameterWarning, StrictMeshClient, StrictOpenAIClient
from modelmesh.client import misspelling as misspellings
from modelmesh.client.parameters import PARAMETER_NAMES, ChatParameters, EmbeddingParameters
from modelmesh.client.signatures import ChatCreate, EmbeddingsCreate
from modelmesh.errors import BadRequestError, ConfigurationError
from modelmesh.testing import MockProvider, mock_client

HI: dict[str, Any] = {"model": "chat-completion", "messages": [{"role": "user", "content": "hi"}]}
CHAT_NAMES = PARAMETER_NAMES["chat.completions"]
CONFIG: dict[str, Any] = {"providers": {"mock": {"instance": MockProvider(["x"])}}, "pools": {"chat-completion": {}}}


@pytest.fixture(autouse=True)
def forget_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(misspellings, "_compared", set())


def keywords(function: Any) -> set[str]:
    return {name for name, one in inspect.signature(function).parameters.items() if one.kind is one.KEYWORD_ONLY}


@pytest.mark.parametrize("declared", get_overloads(ChatCreate.__call__))
def test_chat_overloads_have_the_parameters_of_the_typed_dict(declared: Any) -> None:
    assert keywords(declared) == {*ChatParameters.__annotations__, "stream"} == CHAT_NAMES


def test_embeddings_signature_equals_the_typed_dict() -> None:
    assert keywords(EmbeddingsCreate.__call__) == set(EmbeddingParameters.__annotations__)


def test_create_shows_its_parameters_to_introspection() -> None:
    create = mock_client(["x"]).chat.completions.create
    assert "temperature" in inspect.signature(create).parameters
    assert create.__name__ == "create"
    assert "pool or capability" in str(create.__doc__)


@pytest.mark.parametrize("client", [mock_client(["x"]), mock_client(["x"]).mesh.get_client()], ids=["sync", "async"])
@pytest.mark.parametrize("raw", [None, "with_raw_response", "with_streaming_response"])
def test_create_signature_has_an_optional_stream(client: Any, raw: str | None) -> None:
    completions = client.chat.completions
    create = getattr(completions, raw).create if raw else completions.create
    signature = inspect.signature(create)
    stream = signature.parameters["stream"]
    assert (stream.annotation, stream.default) == ("bool | None", None)
    assert [name for name, one in signature.parameters.items() if one.default is one.empty] == ["model", "messages", "extra"]
    assert "_co" not in signature.return_annotation
    assert "stream: Whether" in create.__doc__
    assert "**arguments" not in create.__doc__
    assert inspect.iscoroutinefunction(completions.create) == isinstance(client, modelmesh.OpenAIClient)


def test_raw_create_signature_names_its_result() -> None:
    completions = mock_client(["x"]).chat.completions
    result = inspect.signature(completions.with_raw_response.create).return_annotation
    assert result == "RawResponse[ChatCompletion | Stream[ChatCompletionChunk]]"
    assert inspect.signature(completions.with_streaming_response.create).return_annotation == "StreamedCall"


def test_misspelled_parameter_warns_once_at_the_callers_line() -> None:
    client = mock_client(["x"])
    with pytest.warns(MisspelledParameterWarning, match="Did you mean 'temperature'") as caught:
        [client.chat.completions.create(**HI, temprature=3) for _ in range(2)]
    assert [one.filename for one in caught] == [__file__]
    assert client.calls[0].kwargs["temprature"] == 3, "it is sent as given"


def test_misspelled_parameter_in_a_task_warns_at_its_line() -> None:
    client = mock_client(["x"])

    async def main() -> None:
        await client.mesh.get_client().chat.completions.create(**HI, temprature=3)

    with pytest.warns(MisspelledParameterWarning) as caught:
        asyncio.run(main())
    assert [one.filename for one in caught] == [__file__]


def test_unknown_parameters_are_compared_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(misspellings, "MAX_COMPARED_NAMES", 3)
    misspellings.check_unknown((f"own_{number}" for number in range(100)), CHAT_NAMES, strict=False)
    assert len(misspellings._compared) == 3


@pytest.mark.parametrize(
    "name",
    [
        *["top_k", "min_tokens", "models", "speed", "mode", "repetition_penalty", "thinking", "min_p", "safe_prompt"],
        *["max_new_tokens", "reasoning_format"],
    ],
)
def test_vendor_parameter_gives_no_warning(name: str) -> None:
    client = mock_client(["x"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client.chat.completions.create(**HI, **{name: 1})
    assert client.calls[0].kwargs[name] == 1


@pytest.mark.parametrize(
    ("given", "meant"),
    [({"modle": "chat-completion", "messages": []}, "model"), ({"model": "chat-completion", "mesages": []}, "messages")],
)
def test_misspelled_required_argument_is_an_error_with_a_hint(given: dict[str, Any], meant: str) -> None:
    with pytest.raises(BadRequestError, match=f"did you mean '{meant}'\\? Nothing was sent"):
        mock_client(["x"]).chat.completions.create(**given)


@pytest.mark.parametrize("name", ["temprature", "a_vendors_own"])
def test_strict_client_rejects_an_unknown_parameter(name: str) -> None:
    client = mock_client(["x"])
    strict = StrictMeshClient(client.mesh).with_options(timeout=5)
    with pytest.raises(BadRequestError, match=f"unknown parameter '{name}'.*extra_body"):
        strict.chat.completions.create(**HI, **{name: 3})
    assert not client.calls
    assert strict.chat.completions.create(**HI, extra_body={name: 3}).content == "x"
    assert client.calls[0].kwargs[name] == 3


def test_create_with_strict_parameters_returns_strict_clients() -> None:
    with modelmesh.create(config=CONFIG, strict_parameters=True) as client:
        assert type(client) is StrictMeshClient
        assert isinstance(client, MeshClient)
    assert type(modelmesh.create_async(config=CONFIG, strict_parameters=True)) is StrictOpenAIClient


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("temprature", "temperature"),
        ("mesages", "messages"),
        ("max_token", "max_tokens"),
        ("modle", "model"),
        ("streem", "stream"),
    ],
)
def test_closest_finds_common_misspellings(name: str, meant: str) -> None:
    assert misspellings.closest(name, CHAT_NAMES) == meant


@given(st.sampled_from(sorted(one for one in CHAT_NAMES if len(one) > 5)), st.data())
def test_closest_finds_a_name_with_one_changed_letter(name: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(name) - 1))
    typo = data.draw(st.sampled_from([name[:place] + name[place + 1 :], name[:place] + "ß" + name[place:], name[::1]]))
    assert misspellings.closest(typo, CHAT_NAMES) is not None
    assert misspellings.closest(name, [name]) == name


def test_mesh_with_a_configuration_is_complete_on_construction() -> None:
    with modelmesh.ModelMesh(CONFIG) as mesh:
        assert [pool.name for pool in mesh.list_pools()] == ["chat-completion"]
        assert mesh.stats() is mesh.get_statistics()
        assert mesh.client.models.list().data[0].id == "mock-model"


def test_client_of_an_empty_mesh_serves_after_initialize() -> None:
    mesh = modelmesh.ModelMesh()
    client = mesh.client
    with pytest.raises(ConfigurationError, match="call initialize"):
        client.pool_status()
    mesh.initialize(CONFIG)
    assert list(client.pool_status()) == ["chat-completion"]
    mesh.shutdown()


def test_version_equals_that_of_the_distribution() -> None:
    assert modelmesh.__version__ == version("modelmesh-core")


OF_OPERATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "images.generate": ({"prompt": "a", "qualty": "high"}, "quality"),
    "audio.speech.create": ({"model": "text-to-speech", "input": "a", "instrctions": "b"}, "instructions"),
    "audio.transcriptions.create": ({"model": "speech-to-text", "file": b"a", "languge": "en"}, "language"),
    "moderations.create": ({"input": "a", "tiemout": 3}, "timeout"),
    "rerank.create": ({"query": "a", "documents": ["b"], "topn_": 1}, "top_n"),
    "responses.create": ({"model": "chat-completion", "input": "a", "max_output_token": 3}, "max_output_tokens"),
    "files.list": ({"limt": 3}, "limit"),
}


@pytest.mark.parametrize("path", OF_OPERATIONS)
def test_misspelled_parameter_of_an_operation(path: str) -> None:
    arguments, meant = OF_OPERATIONS[path]
    client = mock_client(["x"])
    plain: Any = client
    strict: Any = StrictMeshClient(client.mesh)
    for name in path.split("."):
        plain, strict = getattr(plain, name), getattr(strict, name)
    with pytest.raises(BadRequestError, match=f"Did you mean '{meant}'"):
        strict(**arguments)
    assert not client.calls
    with pytest.warns(MisspelledParameterWarning, match=f"Did you mean '{meant}'"):
        plain(**arguments)

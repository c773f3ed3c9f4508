"""The Python snippets of the convenience layer's document, unchanged, with vendors on loopback."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest

import modelmesh.client
from modelmesh_cdk.testing import Script, Upstream

IMPORTS = {
    "import modelmesh": "import modelmesh\ncreate = modelmesh.create\n",
    "from modelmesh import create": "from modelmesh import create\n",
}
ASK = """
response = client.chat.completions.create(
    model="chat-completion",
    messages=[{"role": "user", "content": "Hello!"}],
)
print(response.choices[0].message.content)
"""
STREAM = """
stream = client.chat.completions.create(
    model="chat-completion",
    messages=[{"role": "user", "content": "Write a short poem about routing."}],
    stream=True,
)

for chunk in stream:
    delta = chunk.choices[0].delta
    if delta.content is not None:
        print(delta.content, end="", flush=True)

print()
"""
FIELDS = """
assert response.id.startswith("chatcmpl-")
assert response.object == "chat.completion"
assert response.created > 0
assert response.model != "chat-completion"
assert response.choices[0].index == 0
assert response.choices[0].message.role == "assistant"
assert response.choices[0].message.content == "Hello!"
assert response.choices[0].finish_reason == "stop"
assert response.usage.prompt_tokens == 5
assert response.usage.completion_tokens == 2
assert response.usage.total_tokens == 7
"""


def run(code: str, importing: str) -> dict[str, object]:
    scope: dict[str, object] = {}
    exec(IMPORTS[importing] + textwrap.dedent(code), scope)
    return scope


@pytest.fixture(params=list(IMPORTS))
def importing(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def openai(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> Upstream:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", upstream.url)
    return upstream


def test_layer_0(openai: Upstream, importing: str, capsys: pytest.CaptureFixture[str]) -> None:
    run('client = create("chat-completion")' + ASK + FIELDS, importing)
    assert capsys.readouterr().out == "Hello!\n"
    assert openai.last.headers["authorization"] == "Bearer sk-test"


def test_layer_0_streams(openai: Upstream, importing: str, capsys: pytest.CaptureFixture[str]) -> None:
    run('client = create("chat-completion")' + STREAM, importing)
    assert capsys.readouterr().out == "Hello!\n"


def test_layer_0_rotates_between_two_vendors(
    openai: Upstream, other: Upstream, importing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk-test")
    monkeypatch.setenv("GROQ_BASE_URL", other.url)
    openai.fail(500).fail(500).fail(500).always(lambda _: pytest.fail("asked too often"))
    run('client = create("chat-completion", models=["gpt-4o", "llama-3.3-70b-versatile"])' + ASK, importing)
    assert capsys.readouterr().out == "Hello!\n"
    assert len(openai.received) == 1
    assert other.last.path == "/openai/v1/chat/completions"


def test_layer_1(openai: Upstream, importing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test")
    code = """
    client = create(
        "chat-completion",
        providers=["openai", "anthropic"],
        strategy="cost-first",
    )
    """
    scope = run(code, importing)
    where = scope["client"].explain("chat-completion")  # type: ignore[attr-defined]
    assert where.reason.startswith("cheapest for this request: about $")
    [chosen] = [row for row in where.candidates if row.selected]
    assert chosen.score == max(row.score for row in where.candidates)
    assert {row.provider for row in where.candidates} == {"openai", "anthropic"}


def test_layer_1_with_an_installed_strategy(openai: Upstream, importing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test")
    code = """
    client = create("chat-completion", "text-generation", providers=["openai", "anthropic"], strategy="round-robin")
    chat = client.chat.completions.create(
        model="chat-completion",
        messages=[{"role": "user", "content": "Summarize this document."}],
    )
    """
    scope = run(code, importing)
    client = scope["client"]
    assert set(client.pool_status()) == {"chat-completion", "text-generation"}  # type: ignore[attr-defined]
    assert set(client.active_providers()) == {"openai", "anthropic"}  # type: ignore[attr-defined]


def test_layer_1b(openai: Upstream, importing: str) -> None:
    code = """
    client = create(pool="text-generation")

    response = client.chat.completions.create(
        model="text-generation",
        messages=[{"role": "user", "content": "Write a haiku about APIs."}],
    )
    """
    scope = run(code, importing)
    assert scope["response"].choices[0].message.content == "Hello!"  # type: ignore[attr-defined]


LAYER_2 = """
client = create(config={
    "providers": {
        "openai": {
            "connector": "openai.llm.v1",
            "config": {"api_key": "${secrets:openai-key}"},
        },
        "anthropic": {
            "connector": "anthropic.claude.v1",
            "config": {"api_key": "${secrets:anthropic-key}"},
        },
    },
    "pools": {
        "chat-completion": {
            "capability": "chat-completion",
            "strategy": "STRATEGY",
        },
    },
})
"""


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_KEY", "sk-test-openai")
    monkeypatch.setenv("ANTHROPIC_KEY", "sk-test-anthropic")


@pytest.mark.usefixtures("keys")
def test_layer_2_dictionary(openai: Upstream, importing: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(LAYER_2.replace("STRATEGY", "stick-until-failure") + ASK, importing)
    assert capsys.readouterr().out == "Hello!\n"
    assert openai.last.headers["authorization"] == "Bearer sk-test-openai"


@pytest.mark.usefixtures("keys")
def test_layer_2_dictionary_as_written(openai: Upstream, importing: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(LAYER_2.replace("STRATEGY", "cost-first") + ASK, importing)
    assert capsys.readouterr().out == "Hello!\n"
    assert openai.last.headers["authorization"] == "Bearer sk-test-openai"  # the cheapest chat model of the two is OpenAI's


@pytest.mark.usefixtures("keys")
def test_layer_2_file_and_object(
    openai: Upstream, importing: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(str(tmp_path))
    with open("modelmesh.yaml", "w", encoding="utf-8") as file:  # noqa: PTH123 - the snippet's own way of naming it
        file.write(
            "providers:\n  openai.llm.v1:\n    api_key: ${secrets:openai-key}\n"
            "pools:\n  chat-completion:\n    strategy: modelmesh.stick-until-failure.v1\n"
        )
    code = """
    client = create(config="modelmesh.yaml")
    """
    run(textwrap.dedent(code) + ASK, importing)
    code = """
    from modelmesh import MeshConfig
    cfg = MeshConfig.from_file("modelmesh.yaml")
    client = create(config=cfg)
    """
    run(textwrap.dedent(code) + ASK, importing)
    assert capsys.readouterr().out == "Hello!\nHello!\n"


@pytest.mark.parametrize("connector", ["modelmesh.file.v1", "modelmesh.console.v1", "modelmesh.null.v1"])
def test_observability_overlay(
    openai: Upstream,
    importing: str,
    connector: str,
    tmp_path: object,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(str(tmp_path))
    code = f"""
    client = create("chat-completion", config={{
        "observability": {{"connector": "{connector}"}}
    }})
    """
    scope = run(textwrap.dedent(code) + ASK, importing)
    scope["client"].close()  # type: ignore[attr-defined]
    output = capsys.readouterr()
    assert output.out == "Hello!\n"
    assert ("200" in output.err) == (connector == "modelmesh.console.v1")
    assert os.path.exists("modelmesh.log") == (connector == "modelmesh.file.v1")  # noqa: PTH110


def test_api_keys(openai: Upstream, importing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk-test")
    code = """
    client = create(
        "chat-completion",
        api_keys={
            "openai": "sk-test-custom-key-here",
            "anthropic": "sk-ant-test-custom-key-here",
        },
    )
    """
    scope = run(textwrap.dedent(code) + ASK, importing)
    assert openai.last.headers["authorization"] == "Bearer sk-test-custom-key-here"
    assert scope["client"].active_providers() == ["openai", "anthropic"]  # type: ignore[attr-defined]


def test_quick_provider(upstream: Upstream, importing: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = f"""
    from modelmesh.cdk import QuickProvider

    provider = QuickProvider(
        base_url="https://api.example.com",
        api_key="sk-test-example-key",
        # Optional overrides:
        models=[],                      # empty = auto-discover via /v1/models
        timeout=30.0,
        max_retries=3,
        capabilities=["generation.text-generation.chat-completion"],
    )

    custom = QuickProvider(
        base_url="{upstream.url}/v1",
        api_key="sk-test-internal-key",
    )

    client = create(config={{
        "providers": {{
            "internal-gateway": {{
                "instance": custom,
            }},
        }},
        "pools": {{
            "chat-completion": {{
                "capability": "chat-completion",
                "providers": ["internal-gateway"],
            }},
        }},
    }})
    """
    run(textwrap.dedent(code) + ASK, importing)
    assert capsys.readouterr().out == "Hello!\n"
    assert [request.path for request in upstream.received] == ["/v1/models", "/v1/chat/completions"]


def test_introspection(openai: Upstream, importing: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = """
    client = create("chat-completion")
    models = client.models.list()
    for model in models.data:
        print(f"{model.id} -- owned by {model.owned_by}")
    mesh = client.mesh
    pools = mesh.list_pools()
    for pool in pools:
        print(f"Pool: {pool.name}, models: {len(pool.models)}")
    status = client.pool_status()
    for pool_name, info in status.items():
        print(f"{pool_name}: {info.active}/{info.total} active, current={info.current_model}")
    providers = client.active_providers()
    print(providers)
    new_model = client.rotate("chat-completion")
    print(f"Rotated to: {new_model}")
    """
    run(code, importing)
    out = capsys.readouterr().out
    assert "gpt-4o -- owned by openai" in out
    assert "Pool: chat-completion, models: " in out
    assert "['openai']" in out
    assert "Rotated to: gpt-6.1-sol" in out


EMBED = """
response = client.embeddings.create(
    model="text-embeddings",
    input="The quick brown fox jumps over the lazy dog.",
)
vector = response.data[0].embedding
"""
SPEAK = """
response = client.audio.speech.create(
    model="text-to-speech",
    input="Hello, welcome to ModelMesh Lite.",
    voice="alloy",
)
response.stream_to_file("output.mp3")
"""
TRANSCRIBE = """
with open("recording.mp3", "rb") as f:
    response = client.audio.transcriptions.create(
        model="speech-to-text",
        file=f,
    )
print(response.text)
"""
DRAW = """
response = client.images.generate(
    model="text-to-image",
    prompt="A futuristic city skyline at sunset",
    n=1,
    size="1024x1024",
)
image_url = response.data[0].url
"""


def test_embeddings(openai: Upstream, importing: str) -> None:
    openai.reply({"object": "list", "model": "m", "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}]})
    scope = run('client = create("text-embeddings")' + EMBED, importing)
    assert scope["vector"] == [0.5, 0.25]
    assert openai.last.path == "/v1/embeddings"


def test_speech(openai: Upstream, importing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    openai.then(Script(200, b"ID3 audio", content_type="audio/mpeg"))
    scope = run('client = create("text-to-speech")' + SPEAK, importing)
    assert scope["response"] == (tmp_path / "output.mp3").read_bytes() == b"ID3 audio"
    sent = openai.last.json
    assert (openai.last.path, sent["input"], sent["voice"]) == ("/v1/audio/speech", "Hello, welcome to ModelMesh Lite.", "alloy")
    assert sent.keys() == {"model", "input", "voice"}


def test_transcription(
    openai: Upstream, importing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recording.mp3").write_bytes(b"ID3 recording")
    openai.fail(500).reply({"text": "Hello there."})  # the second attempt sends the whole file again
    run('client = create("speech-to-text")' + TRANSCRIBE, importing)
    assert capsys.readouterr().out == "Hello there.\n"
    assert openai.last.path == "/v1/audio/transcriptions"
    for received in openai.received:
        assert b'name="file"; filename="recording.mp3"\r\nContent-Type: audio/mpeg\r\n\r\nID3 recording\r\n' in received.body


def test_images(openai: Upstream, importing: str) -> None:
    openai.reply({"created": 1, "data": [{"url": "https://example.com/skyline.png"}]})
    scope = run('client = create("text-to-image")' + DRAW, importing)
    assert scope["image_url"] == "https://example.com/skyline.png"
    sent = openai.last.json
    assert (openai.last.path, sent.pop("prompt"), sent.pop("n"), sent.pop("size")) == (
        "/v1/images/generations", "A futuristic city skyline at sunset", 1, "1024x1024",
    )  # fmt: skip
    assert sent.keys() == {"model"}


@pytest.mark.parametrize("name", ["CompletionResponse", "EmbeddingResponse", "TranscriptionResponse", "ImageResponse"])
def test_types_of_replies_have_the_names_of_the_document(name: str) -> None:
    assert issubclass(getattr(modelmesh.client, name), dict)


def test_langchain(openai: Upstream, importing: str) -> None:
    pytest.importorskip("langchain_openai")
    code = """
    from langchain_core.messages import HumanMessage

    client = create("chat-completion")

    from langchain_openai import ChatOpenAI

    llm = ChatOpenAI(
        client=client.chat.completions,
        model="chat-completion",
    )

    response = llm.invoke([HumanMessage(content="Explain AI routing.")])
    pieces = [piece.content for piece in llm.stream([HumanMessage(content="Explain AI routing.")])]
    """
    scope = run(code, importing)
    assert scope["response"].content == "Hello!"  # type: ignore[attr-defined]
    assert "".join(scope["pieces"]) == "Hello!"  # type: ignore[arg-type]

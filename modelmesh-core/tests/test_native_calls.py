"""Native calls: a candidate receives the caller's own call where its provider serves it, else the chat completion."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from modelmesh import ModelMesh
from modelmesh.contracts import CHAT, OPERATIONS, RULES, FailureClass
from modelmesh.contracts.call import Call
from modelmesh.contracts.models import ModelInfo
from modelmesh.errors import BadRequestError, NoActiveModelError, ProviderError

RESPONSES = OPERATIONS["responses"]
RESPONSE = {
    "id": "resp_1",
    "status": "completed",
    "output": [{"type": "message", "content": []}],
    "usage": {"input_tokens": 5, "output_tokens": 2},
}


class World:
    """A mesh whose account ``native`` serves responses, and whose account ``plain`` serves chat completions only."""

    def __init__(self, scripted: Any, body: Any, order: tuple[str, ...] = ("native", "plain"), *, fails: bool = False) -> None:
        failed = RULES[FailureClass.SERVER].error("x", failure=FailureClass.SERVER, status=500)
        places = {name: order.index(name) for name in order}

        def answer(call: Any, model: str) -> Any:
            if fails and places[model] == 0:
                return failed
            return dict(RESPONSE) if call.operation is RESPONSES else body("Hi")

        self.vendors = {name: scripted(name, answer=answer) for name in order}
        if "native" in self.vendors:
            self.vendors["native"].native_operations = ["responses"]
        self.mesh = ModelMesh()
        providers = {name: {"instance": vendor} for name, vendor in self.vendors.items()}
        self.mesh.initialize({"providers": providers, "pools": {"chat": {"capability": "chat-completion"}}})

    def serve(self, **facts: Any) -> Any:
        state = {"previous_response_id": "resp_0@native"} if facts.get("account") == "native" else {}
        own = Call(RESPONSES, "chat", {"input": "Hi", **state})
        call = Call(CHAT, "chat", {"messages": [{"role": "user", "content": "Hi"}]}, native=own, **facts)
        self.call = call
        with self.mesh:
            return self.mesh._requests.serve(call)


def test_native_provider_receives_the_callers_own_call(scripted: Any, body: Any) -> None:
    world = World(scripted, body)
    served = world.serve(account="native", lost=("x is lost",))
    ((sent, model),) = world.vendors["native"].calls
    assert (sent.operation, model) == (RESPONSES, "native")
    assert sent.payload == {"input": "Hi", "previous_response_id": "resp_0"}
    assert served.sent.payload == sent.payload
    assert served.outcome.body["id"] == "resp_1@native"
    assert served.attempts[-1].usage["prompt_tokens"] == 5
    assert list(served.attempts[-1].adapted) == [], "nothing was lost"


@pytest.mark.parametrize("order", [("native", "plain"), ("plain", "native")])
def test_failover_changes_the_form_of_the_call(scripted: Any, body: Any, order: tuple[str, ...]) -> None:
    world = World(scripted, body, order, fails=True)
    served = world.serve(lost=("x is lost",))
    forms = [call.operation for name in order for call, _ in world.vendors[name].calls]
    expected = {"native": RESPONSES, "plain": CHAT}
    assert forms[0] is expected[order[0]]
    assert forms[-1] is expected[order[1]]
    assert served.sent.operation is expected[order[1]]
    assert list(served.attempts[-1].adapted) == (["x is lost"] if order[1] == "plain" else [])


@pytest.mark.parametrize(
    ("failure", "status", "forms"),
    [
        (FailureClass.REFUSED, 404, ["responses", "chat.completions", "chat.completions"]),
        (FailureClass.PROTOCOL, 405, ["responses", "chat.completions", "chat.completions"]),
        (FailureClass.NOT_FOUND, 404, ["responses", "responses"]),
        (FailureClass.REFUSED, 400, ["responses", "responses"]),
    ],
)
def test_server_without_the_endpoint_receives_the_chat_completion(
    failure: FailureClass, status: int, forms: list[str], scripted: Any, body: Any
) -> None:
    error = RULES[failure].error("x", failure=failure, status=status)
    vendor = scripted("a", answer=lambda call, model: error if call.operation is RESPONSES else body("Hi"))
    vendor.native_operations = ["responses"]
    served = []
    with ModelMesh({"providers": {"a": {"instance": vendor}}, "pools": {"chat": {"capability": "chat-completion"}}}) as mesh:
        for _ in range(2):
            own = Call(RESPONSES, "chat", {"input": "Hi"})
            call = Call(CHAT, "chat", {"messages": [{"role": "user", "content": "Hi"}]}, native=own, lost=("x is lost",))
            with contextlib.suppress(ProviderError):
                served.append(mesh._requests.serve(call))
    assert [call.operation.name for call, _ in vendor.calls][: len(forms)] == forms
    assert len(served) == (2 if "chat.completions" in forms else 0)
    for one in served:
        assert [row.outcome for row in one.attempts] == ["answered"]
        note = "responses converted to chat.completions: the server does not serve it"
        assert list(one.attempts[0].adapted) == [note, "x is lost"]


def test_native_only_call_goes_to_the_native_provider(scripted: Any, body: Any) -> None:
    world = World(scripted, body, ("plain", "native"))
    served = world.serve(native_only="the request continues a stored response")
    assert served.candidate.provider_id == "native"
    found = world.mesh.explain("chat", world.call)
    reason = next(row.reason for row in found.candidates if row.provider == "plain")
    assert reason == "it does not serve responses natively, and the request continues a stored response"


def test_native_only_call_without_a_native_provider(scripted: Any, body: Any) -> None:
    with pytest.raises(NoActiveModelError, match="does not serve responses natively, and the request has hosted tools"):
        World(scripted, body, ("plain",)).serve(native_only="the request has hosted tools")


def test_call_of_another_account(scripted: Any, body: Any) -> None:
    world = World(scripted, body)
    assert world.serve(account="plain").candidate.provider_id == "plain"
    with pytest.raises(NoActiveModelError, match="has an ID of the account 'other'"):
        World(scripted, body).serve(account="other")


def test_operation_skips_members_without_its_capability(scripted: Any) -> None:
    models = [ModelInfo("draws", capabilities=("text-to-image",)), ModelInfo("edits", capabilities=("image-to-image",))]
    vendor = scripted(*models, answer=lambda call, model: {"data": [{"url": model}]})
    with ModelMesh({"providers": {"a": {"instance": vendor}}, "pools": {"image-generation": {}}}) as mesh:
        for name, model in (("images.edit", "edits"), ("images.generate", "draws")):
            call = Call(OPERATIONS[name], "image-generation", {"prompt": "x"})
            assert mesh._requests.serve(call).candidate.model_id == model
            other = next(row for row in mesh.explain("image-generation", call).candidates if row.model != model)
            assert other.reason == f"does not state {OPERATIONS[name].capability}"


@pytest.mark.parametrize(
    ("lacking", "payload", "stream"),
    [
        ({"features": {"subtitles": False}}, {"response_format": "srt"}, False),
        ({"features": {"subtitles": False}}, {"response_format": "vtt"}, False),
        ({"features": {"timestamps": False}}, {"response_format": "verbose_json"}, False),
        ({"features": {"timestamps": False}}, {"timestamp_granularities": ["word"]}, False),
        ({"features": {"diarization": False}}, {"response_format": "diarized_json"}, False),
        ({"delivery": {"streaming": False}}, {}, True),
    ],
)
def test_transcription_skips_models_without_the_feature(lacking: Any, payload: Any, stream: bool, scripted: Any) -> None:
    models = [ModelInfo("without", capabilities=("stt",), **lacking), ModelInfo("with", capabilities=("stt",))]
    with ModelMesh({"providers": {"a": {"instance": scripted(*models)}}, "pools": {"speech-to-text": {}}}) as mesh:
        operation = OPERATIONS["audio.transcriptions"]
        assert mesh.explain("", Call(operation, "speech-to-text", payload, stream=stream)).selected_model == "with"
        assert mesh.explain("", Call(operation, "speech-to-text", {})).selected_model == "without"


def test_speech_in_pieces_needs_no_streaming_model(scripted: Any) -> None:
    model = ModelInfo("plain", capabilities=("tts",), delivery={"streaming": False})
    with ModelMesh({"providers": {"a": {"instance": scripted(model)}}, "pools": {"text-to-speech": {}}}) as mesh:
        operation = OPERATIONS["audio.speech"]
        assert mesh.explain("", Call(operation, "text-to-speech", {"input": "Hi"}, stream=True)).selected_model == "plain"
        as_events = Call(operation, "text-to-speech", {"input": "Hi", "stream_format": "sse"}, stream=True)
        assert mesh.explain("", as_events).selected_model is None


def part(file_id: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": "Read."}, {"type": "file", "file": {"file_id": file_id}}]}


@pytest.mark.parametrize(
    ("messages", "account", "sent"),
    [
        ([part("file-1@plain")], "plain", [part("file-1")]),
        ([part("file-1@plain"), part("file-2@plain")], "plain", [part("file-1"), part("file-2")]),
        ([part("file-1@elsewhere")], "native", [part("file-1@elsewhere")]),
        ([{"role": "user", "content": "file-1@plain"}], "native", [{"role": "user", "content": "file-1@plain"}]),
    ],
)
def test_file_of_a_message_pins_its_account(messages: Any, account: str, sent: Any, scripted: Any, body: Any) -> None:
    world = World(scripted, body)
    with world.mesh as mesh:
        call = Call(CHAT, "chat", {"messages": messages})
        assert mesh.explain("chat", call).selected_provider == account
        assert mesh._requests.serve(call).candidate.provider_id == account
    ((received, _),) = world.vendors[account].calls
    assert received.payload["messages"] == sent


def test_files_of_two_accounts_are_refused(scripted: Any, body: Any) -> None:
    world = World(scripted, body)
    with world.mesh as mesh, pytest.raises(BadRequestError, match="several accounts: native, plain"):
        mesh._requests.serve(Call(CHAT, "chat", {"messages": [part("file-1@plain"), part("file-1@native")]}))


def test_file_of_a_native_request_pins_its_account(scripted: Any, body: Any) -> None:
    own = Call(RESPONSES, "chat", {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1@native"}]}]})
    world = World(scripted, body, ("plain", "native"))
    with world.mesh as mesh:
        served = mesh._requests.serve(Call(CHAT, "chat", {"messages": []}, native=own))
    assert served.candidate.provider_id == "native"
    assert served.sent.payload["input"][0]["content"][0]["file_id"] == "file-1"


def test_capability_without_an_operation_reaches_the_connector_by_its_path(scripted: Any) -> None:
    vendor = scripted(ModelInfo("m", capabilities=("translation",)), answer=lambda call, model: {"text": "Hallo"})
    with ModelMesh({"providers": {"a": {"instance": vendor}}, "pools": {"translation.text": {}}}) as mesh:
        assert mesh.client.capability("translation.text").call(text="Hello", target="de").text == "Hallo"
    ((call, _),) = vendor.calls
    assert (call.operation.name, call.payload) == ("transformation.translation", {"text": "Hello", "target": "de"})


def test_strict_adaptation_refuses_a_translation_with_losses(scripted: Any, body: Any) -> None:
    pools = {"chat": {"capability": "chat-completion", "adaptation": "strict"}}
    call = Call(CHAT, "chat", {"messages": []}, native=Call(RESPONSES, "chat", {"input": "Hi"}), lost=("truncation dropped",))
    vendor = scripted(answer=lambda call, model: body("Hi"))
    with ModelMesh({"providers": {"a": {"instance": vendor}}, "pools": pools}) as mesh:
        with pytest.raises(NoActiveModelError, match="strict refuses the translation: truncation dropped"):
            mesh._requests.serve(call)
    assert vendor.calls == []

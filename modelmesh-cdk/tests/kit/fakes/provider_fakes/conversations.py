"""Providers with faulty conversations."""

from __future__ import annotations

from attrs import evolve
from provider_fakes.honest import Honest, Sends

from modelmesh_cdk.message_rules import Arguments, LastAssistant, MessageRules, Source

STRICT = MessageRules(
    vendor="Acme",
    roles=("system", "user", "assistant", "tool"),
    replaced_roles={"developer": "system"},
    functions=False,
    keys={
        "system": ("role", "content"),
        "user": ("role", "content"),
        "assistant": ("role", "content", "tool_calls"),
        "tool": ("role", "content", "tool_call_id"),
    },
    bridge="OK.",
    last_assistant=LastAssistant.ASK_TO_CONTINUE,
    arguments=Arguments.JSON_OBJECT,
    images=("image/png",),
    accepts_blank_stops=False,
    ranges={"temperature": (0, 2)},
)
STRICT = evolve(STRICT, sources={name: Source("docs.acme.example", "2026-11-21") for name in STRICT.explicit_rules()})


class Strict(Sends):
    """Correct provider, and base class of the faulty ones."""

    message_rules = STRICT


class DoesNotApplyItsRules(Honest):
    message_rules = STRICT

    def _build_request_payload(self, request):
        request.payload = request.call.payload
        return super()._build_request_payload(request)


class SendsEmptyLists(Strict):
    def write(self, payload):
        return {"tools": [], **payload} if "tools" not in payload else payload


class SendsCutArguments(Strict):
    def write(self, payload):
        for message in payload["messages"]:
            for call in message.get("tool_calls", ()):
                call["function"]["arguments"] = call["function"]["arguments"][:-1]
        return payload


class ForgetsTheBridge(Strict):
    def write(self, payload):
        return {**payload, "messages": [one for one in payload["messages"] if one.get("content") != "OK."]}


class DropsLateSystemMessages(Strict):
    def write(self, payload):
        first, *rest = payload["messages"]
        return {**payload, "messages": [first, *(one for one in rest if one["role"] != "system")]}


class DropsTheResultsOfTools(Sends):
    def write(self, payload):
        for message in payload["messages"]:
            if message["role"] == "tool":
                message["content"] = ""
        return payload


class DropsKeysSilently(Strict):
    def _build_request_payload(self, request):
        request.adapted.clear()
        return super()._build_request_payload(request)


class ChangesTheMessages(Honest):
    def _encode_request(self, request):
        for message in request.payload["messages"]:
            message.pop("name", None)
        return super()._encode_request(request)


class NotesWhatSaysNothing(Honest):
    def _build_request_payload(self, request):
        request.adapted += [f"{name} left out" for name in request.call.payload if name not in request.payload]
        return super()._build_request_payload(request)


class StatesRulesWithoutSources(Strict):
    message_rules = evolve(STRICT, sources={})


class StatesRulesWithoutADay(Strict):
    message_rules = evolve(STRICT, sources={name: Source("docs.acme.example", "lately") for name in STRICT.sources})


FAKES: list[tuple[type, str]] = [
    (DoesNotApplyItsRules, "test_conversation_obeys_message_rules"),
    (SendsEmptyLists, "test_conversation_obeys_message_rules"),
    (SendsCutArguments, "test_conversation_obeys_message_rules"),
    (ForgetsTheBridge, "test_conversation_obeys_message_rules"),
    (DropsLateSystemMessages, "test_conversation_texts_arrive"),
    (DropsTheResultsOfTools, "test_conversation_texts_arrive"),
    (DropsKeysSilently, "test_conversation_losses_are_noted"),
    (ChangesTheMessages, "test_conversation_of_caller_is_not_changed"),
    (NotesWhatSaysNothing, "test_conversation_neutral_values_are_no_loss"),
    (StatesRulesWithoutSources, "test_message_rules_have_sources"),
    (StatesRulesWithoutADay, "test_message_rules_have_sources"),
]

"""Providers with faulty responses."""

from __future__ import annotations

import json

from provider_fakes.honest import Honest, Reads

from modelmesh.contracts.provider import Answer


class StripsTheAnswer(Reads):
    def read(self, data, choice):
        choice["message"]["content"] = (choice["message"]["content"] or "").strip() or choice["message"]["content"]
        return data


class TakesEmptyForAbsent(Reads):
    def read(self, data, choice):
        choice["message"]["content"] = choice["message"]["content"] or None
        return data


class CountsForItself(Reads):
    def read(self, data, choice):
        if data.get("usage"):
            data["usage"]["total_tokens"] = 1
        return data


class TakesUnknownForZero(Reads):
    def read(self, data, choice):
        data.setdefault("usage", {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0})
        return data


class KnowsTwoReasons(Reads):
    def read(self, data, choice):
        if choice["finish_reason"] not in ("stop", "length", "tool_calls"):
            choice["finish_reason"] = "stop"
        return data


class TakesBrokenForWhole(Reads):
    def read(self, data, choice):
        if choice["finish_reason"] == "error":
            choice["finish_reason"] = "stop"
        return data


class NamesTheModelItAsked(Reads):
    def read(self, data, choice):
        return {**data, "model": "test-model"}


class LosesUnknownFields(Reads):
    def read(self, data, choice):
        choice["message"].pop("of_the_message", None)
        return data


class GivesOneChoice(Reads):
    def read(self, data, choice):
        return {**data, "choices": [choice]}


class DecodesArguments(Reads):
    def read(self, data, choice):
        for call in choice["message"].get("tool_calls", ()):
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
        return data


class GivesOneCall(Reads):
    def read(self, data, choice):
        if choice["message"].get("tool_calls"):
            choice["message"]["tool_calls"] = choice["message"]["tool_calls"][:1]
        return data


class LosesTheirHeaders(Honest):
    def _decode_response(self, request, status, headers, raw):
        return Answer(super()._decode_response(request, status, headers, raw).body, {}, request.adapted)


class ForgetsUsageInTasks(Honest):
    """Correct in threads, faulty in tasks."""

    async def asend(self, call, model, limits):
        answer = await super().asend(call, model, limits)
        if not call.stream:
            answer.body.pop("usage", None)
        return answer


FAKES: list[tuple[type, str]] = [
    (StripsTheAnswer, "test_response_text_is_complete"),
    (TakesEmptyForAbsent, "test_response_empty_text_is_not_none"),
    (CountsForItself, "test_response_has_usage"),
    (TakesUnknownForZero, "test_response_unknown_usage_is_not_zero"),
    (KnowsTwoReasons, "test_response_has_finish_reason"),
    (TakesBrokenForWhole, "test_response_with_failed_reason_is_a_failure"),
    (NamesTheModelItAsked, "test_response_names_the_model"),
    (LosesUnknownFields, "test_response_keeps_unknown_fields"),
    (GivesOneChoice, "test_response_has_all_choices"),
    (DecodesArguments, "test_response_has_tool_calls"),
    (GivesOneCall, "test_response_has_parallel_tool_calls"),
    (LosesTheirHeaders, "test_response_has_headers"),
    (ForgetsUsageInTasks, "test_response_has_usage"),
]

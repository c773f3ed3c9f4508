"""Providers with faulty requests."""

from __future__ import annotations

from provider_fakes.honest import Honest, Sends


class JoinsTheVersionTwice(Honest):
    def _get_completion_endpoint(self) -> str:
        return f"{self.config.base_url}/v1/chat/completions"


class AsksForItsOwnModel(Sends):
    def write(self, payload):
        return {**payload, "model": "acme-1"}


class StripsText(Sends):
    def write(self, payload):
        stripped = [{**one, "content": (one.get("content") or "").strip()} for one in payload["messages"]]
        return {**payload, "messages": stripped}


class LosesTheSeed(Sends):
    def write(self, payload):
        return {name: value for name, value in payload.items() if name != "seed" or not value}


class LosesZeros(Sends):
    def write(self, payload):
        return {name: value for name, value in payload.items() if value not in (0, 0.0) or value is False}


class AddsItsOwnTemperature(Sends):
    def write(self, payload):
        return {"temperature": 1.0, **payload}


class LosesWhatIsEmpty(Sends):
    def write(self, payload):
        return {name: value for name, value in payload.items() if value not in ([], "")}


class KnowsItAll(Sends):
    def write(self, payload):
        return {name: value for name, value in payload.items() if name != "a_parameter_of_tomorrow"}


class LosesHeaders(Honest):
    def _encode_request(self, request):
        url, headers, body = super()._encode_request(request)
        return url, [pair for pair in headers if pair[0] not in request.call.options.headers], body


class SaysItIsText(Honest):
    def _build_headers(self):
        return {**super()._build_headers(), "Content-Type": "text/plain"}


class ChangesTheCall(Honest):
    def _build_request_payload(self, request):
        request.call.payload.pop("temperature", None)
        return super()._build_request_payload(request)


class LosesTheTemperatureOfStreams(Sends):
    def write(self, payload):
        if payload.get("stream"):
            payload.pop("temperature", None)
        return payload


class LosesTheChoiceOfATool(Sends):
    def write(self, payload):
        return {name: value for name, value in payload.items() if name != "tool_choice"}


class LosesTheIdOfAResult(Sends):
    def write(self, payload):
        for message in payload["messages"]:
            message.pop("tool_call_id", None)
        return payload


class LosesWhatIsSaidBesideACall(Sends):
    def write(self, payload):
        for message in payload["messages"]:
            if message.get("tool_calls"):
                message["content"] = None
        return payload


class LosesTheDetailOfAnImage(Sends):
    def write(self, payload):
        for message in payload["messages"]:
            for part in message["content"] if isinstance(message["content"], list) else ():
                part.get("image_url", {}).pop("detail", None)
        return payload


class RelaxesTheSchema(Sends):
    def write(self, payload):
        payload.get("response_format", {}).get("json_schema", {}).pop("strict", None)
        return payload


FAKES: list[tuple[type, str]] = [
    (JoinsTheVersionTwice, "test_request_url_has_one_version"),
    (AsksForItsOwnModel, "test_request_names_the_model"),
    (StripsText, "test_request_messages_arrive"),
    (LosesTheSeed, "test_request_parameters_arrive"),
    (LosesZeros, "test_request_keeps_zero"),
    (AddsItsOwnTemperature, "test_request_adds_no_parameter"),
    (LosesWhatIsEmpty, "test_request_keeps_empty_values"),
    (KnowsItAll, "test_request_unknown_parameters_arrive"),
    (LosesHeaders, "test_request_extra_headers_arrive"),
    (SaysItIsText, "test_request_body_is_json"),
    (ChangesTheCall, "test_call_is_not_changed"),
    (LosesTheTemperatureOfStreams, "test_request_for_stream_differs_only_in_stream"),
    (LosesTheChoiceOfATool, "test_request_tools_arrive"),
    (LosesWhatIsSaidBesideACall, "test_request_tool_results_arrive"),
    (LosesTheIdOfAResult, "test_request_tool_results_arrive"),
    (LosesTheDetailOfAnImage, "test_request_images_arrive"),
    (RelaxesTheSchema, "test_request_json_schema_arrives"),
]

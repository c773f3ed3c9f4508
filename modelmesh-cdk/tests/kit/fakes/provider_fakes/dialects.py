"""Providers with faults in the handling of a limited format."""

from __future__ import annotations

import json

from provider_fakes.honest import Reads, Sends

from modelmesh_cdk.testing.dialects import OpenAIDialect


class Poor(OpenAIDialect):
    """Format without seed and image detail, which requires a token limit and does not report the model."""

    reports_model = False
    arguments_are_text = False
    required_parameters = frozenset({"max_completion_tokens"})

    def expected_value(self, name, value, received):
        return None if name in ("seed", "image_url.detail") else value

    def write_response(self, body):
        body = json.loads(json.dumps({name: value for name, value in body.items() if name != "model"}))
        for call in body["choices"][0]["message"].get("tool_calls", ()):
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
        return super().write_response(body)


class DropsTheSeedSilently(Sends):
    kit = {"dialect": Poor()}

    def write(self, payload):
        return {name: value for name, value in payload.items() if name != "seed"}


class DropsTheDetailSilently(Sends):
    kit = {"dialect": Poor()}

    def write(self, payload):
        for message in payload["messages"]:
            for part in message["content"] if isinstance(message["content"], list) else ():
                part.get("image_url", {}).pop("detail", None)
        return payload


class LimitsTokensSilently(Sends):
    kit = {"dialect": Poor()}

    def write(self, payload):
        return {"max_completion_tokens": 64, **payload}


class NamesItself(Reads):
    kit = {"dialect": Poor()}

    def read(self, data, choice):
        return {**data, "model": "acme-1"}


class HandsOnObjects(Reads):
    kit = {"dialect": Poor()}


FAKES: list[tuple[type, str]] = [
    (DropsTheSeedSilently, "test_request_parameters_arrive"),
    (DropsTheDetailSilently, "test_request_images_arrive"),
    (LimitsTokensSilently, "test_request_adds_no_parameter"),
    (NamesItself, "test_response_names_the_model"),
    (HandsOnObjects, "test_response_has_tool_calls"),
]

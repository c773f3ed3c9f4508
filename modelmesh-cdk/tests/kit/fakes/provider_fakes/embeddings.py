"""Providers with faulty embeddings."""

from __future__ import annotations

import json

from provider_fakes.honest import Honest

from modelmesh.contracts import EMBEDDINGS
from modelmesh.contracts.provider import Answer
from modelmesh_cdk.testing.dialects.shape import unpacked


class Asks(Honest):
    """Base class of fakes that change the request body in ``write``."""

    def _build_request_payload(self, request):
        payload = super()._build_request_payload(request)
        return self.write(json.loads(json.dumps(payload))) if request.call.operation is EMBEDDINGS else payload

    def write(self, payload):
        return payload


class Gets(Honest):
    """Base class of fakes that change the response in ``read``."""

    def _decode_response(self, request, status, headers, raw):
        answer = super()._decode_response(request, status, headers, raw)
        return Answer(self.read(answer.body), answer.headers, answer.adapted)

    def read(self, body):
        return body


class SkipsEmptyTexts(Asks):
    def write(self, payload):
        given = payload["input"]
        return {**payload, "input": [text for text in given if text] if isinstance(given, list) else given}


class AsksForNumbers(Asks):
    def write(self, payload):
        return {"encoding_format": "float", **payload}


class SpellsTokens(Asks):
    def write(self, payload):
        return {**payload, "input": [text if isinstance(text, str) else str(text) for text in payload["input"]]}


class LosesTheDimensions(Asks):
    def write(self, payload):
        return {name: value for name, value in payload.items() if name != "dimensions"}


class KnowsAllOfEmbeddings(Asks):
    def write(self, payload):
        return {name: value for name, value in payload.items() if name != "a_parameter_of_tomorrow"}


class GivesNumbersOnly(Gets):
    def read(self, body):
        for row in body["data"]:
            if isinstance(row["embedding"], str):
                row["embedding"] = unpacked(row["embedding"])
        return body


class TurnsThemRound(Gets):
    def read(self, body):
        body["data"] = [{**row, "index": place} for place, row in enumerate(reversed(body["data"]))]
        return body


class CountsNoTokens(Gets):
    def read(self, body):
        return {"usage": {"prompt_tokens": 0, "total_tokens": 0}, **body}


class ChangesTheCallForEmbeddings(Honest):
    def _build_request_payload(self, request):
        request.payload.pop("dimensions", None)
        return super()._build_request_payload(request)


class ForgetsTheDelayOfEmbeddings(Honest):
    def send(self, call, model, limits):
        try:
            return super().send(call, model, limits)
        except Exception as error:
            error.upstream_delay_s = None
            raise


class TakesNothingForEmbeddings(Honest):
    def _decode_response(self, request, status, headers, raw):
        return Answer({"data": []}, headers) if not raw else super()._decode_response(request, status, headers, raw)


class SendsTheKeyWithTexts(Asks):
    def write(self, payload):
        return {**payload, "user": self.api_key.reveal()}


FAKES: list[tuple[type, str]] = [
    (SkipsEmptyTexts, "test_embedding_texts_arrive"),
    (AsksForNumbers, "test_embedding_request_adds_no_parameter"),
    (SpellsTokens, "test_embedding_tokens_arrive_or_are_refused"),
    (LosesTheDimensions, "test_embedding_dimensions_arrive"),
    (KnowsAllOfEmbeddings, "test_embedding_unknown_parameters_arrive"),
    (GivesNumbersOnly, "test_embeddings_have_the_requested_encoding"),
    (TurnsThemRound, "test_embeddings_have_the_order_of_texts"),
    (CountsNoTokens, "test_embeddings_have_usage"),
    (ChangesTheCallForEmbeddings, "test_embedding_call_is_not_changed"),
    (ForgetsTheDelayOfEmbeddings, "test_embedding_error_has_its_class"),
    (TakesNothingForEmbeddings, "test_response_without_embeddings_is_a_failure"),
    (SendsTheKeyWithTexts, "test_embedding_key_is_sent_once_and_not_shown"),
]

"""Providers with faulty operations other than chat completions and embeddings."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from provider_fakes.honest import Honest

from modelmesh.contracts.files import FileUpload
from modelmesh.contracts.provider import Answer
from modelmesh.errors import ProviderError
from modelmesh_cdk import OperationCodec

SERVED = ("completions", "responses", "audio.speech", "audio.transcriptions", "images.generate", "files.list", "files.delete")


class Serves(Honest):
    """Base class of fakes that serve the operations."""

    kit = {"operations": SERVED}


class Sends(Serves):
    """Base class of fakes that change the parameters of a request in ``write``."""

    def _build_request_payload(self, request: Any) -> dict[str, Any]:
        return self.write(request, super()._build_request_payload(request))

    def write(self, request: Any, payload: dict[str, Any]) -> dict[str, Any]:
        return payload


class Changed(OperationCodec):
    """Codec that gives the answer to the fake."""

    def parse_response(self, provider: Any, request: Any, data: Any) -> Any:
        return provider.read(data) if isinstance(data, dict) else data

    def stream_decoder(self, provider: Any, request: Any) -> Any:
        decoder = super().stream_decoder(provider, request)
        return decoder if decoder is None else provider.decoder(decoder)


class Reads(Serves):
    """Base class of fakes that change an answer in ``read`` and a stream in ``decoder``."""

    operation_codecs = dict.fromkeys(SERVED, Changed())

    def read(self, body: dict[str, Any]) -> dict[str, Any]:
        return body

    def decoder(self, decoder: Any) -> Any:
        return decoder


class AddsTheVersionTwice(Serves):
    def _endpoint(self, request):
        return super()._endpoint(request).replace("/v1/", "/v1/v1/")


class KnowsAllOfOperations(Sends):
    def write(self, request, payload):
        return {name: value for name, value in payload.items() if name != "a_parameter_of_tomorrow"}


class SendsTheModelWithoutNeed(Sends):
    def write(self, request, payload):
        return {"model": request.model, **payload}


class SendsTheRestOfAFile(Serves):
    """Opens a file once, so that the second attempt reads on where the first one ended."""

    def send(self, call, model, limits):
        opened = self.__dict__.setdefault("opened", {})

        def once(file: FileUpload) -> FileUpload:
            reader = opened.setdefault(file.filename, file.open())
            reader.close = lambda: None
            return evolve(file, open=lambda: reader)

        files = {name: once(value) for name, value in call.payload.items() if isinstance(value, FileUpload)}
        return super().send(evolve(call, payload={**call.payload, **files}), model, limits)


class ChangesTheCallOfOperations(Serves):
    def _build_request_payload(self, request):
        request.call.payload.setdefault("user", "a")
        return super()._build_request_payload(request)


class LosesNewFields(Reads):
    def read(self, body):
        return {name: value for name, value in body.items() if name != "of_the_vendor"}


class CountsNothing(Reads):
    def read(self, body):
        return {"usage": {"input_tokens": 0, "output_tokens": 0}, **body}


class Skips:
    """Decoder that skips the first event."""

    def __init__(self, decoder: Any) -> None:
        self.decoder, self.events = decoder, 0

    @property
    def done(self) -> bool:
        return self.decoder.done

    def decode(self, event: Any) -> Any:
        self.events += 1
        found = self.decoder.decode(event)
        return () if self.events == 1 else found


class SkipsTheFirstEvent(Reads):
    def decoder(self, decoder):
        return Skips(decoder)


class ForgetsTheDelayOfOperations(Serves):
    def send(self, call, model, limits):
        try:
            return super().send(call, model, limits)
        except ProviderError as error:
            error.upstream_delay_s = None
            raise


class TakesAnything(Serves):
    """Returns an empty answer in place of an error."""

    def send(self, call, model, limits):
        try:
            return super().send(call, model, limits)
        except ProviderError as error:
            return self.instead(error)

    def instead(self, error: ProviderError) -> Any:
        return Answer({})


class TakesPages(TakesAnything):
    def instead(self, error):
        if "not JSON" in str(error) or "a page" in str(error):
            return Answer({})
        raise error


class TakesErrorBodies(TakesAnything):
    def instead(self, error):
        if error.code is not None and error.failure.value == "throttle" and error.upstream_delay_s is None:
            return Answer({"error": error.code})
        raise error


class TakesHalfAnAnswer(TakesAnything):
    def instead(self, error):
        if error.failure.value in ("disconnect", "protocol"):
            return Answer({})
        raise error


class Quiet:
    """Stream that ends where the vendor's stream breaks."""

    headers: dict[str, str] = {}
    adapted: tuple[str, ...] = ()

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __iter__(self):
        try:
            yield from self.stream
        except ProviderError:
            return

    def commit(self) -> None:
        self.stream.commit()

    def close(self) -> None:
        self.stream.close()


class EndsBrokenStreams(Serves):
    def send(self, call, model, limits):
        found = super().send(call, model, limits)
        return Quiet(found) if call.stream else found


FAKES: list[tuple[type, str]] = [
    (AddsTheVersionTwice, "test_operation_request_has_method_path_and_key"),
    (KnowsAllOfOperations, "test_operation_parameters_arrive"),
    (SendsTheModelWithoutNeed, "test_operation_parameters_arrive"),
    (SendsTheRestOfAFile, "test_operation_upload_is_sent_whole_again"),
    (ChangesTheCallOfOperations, "test_operation_call_is_not_changed"),
    (LosesNewFields, "test_operation_answer_is_complete"),
    (CountsNothing, "test_operation_usage_is_the_vendors"),
    (SkipsTheFirstEvent, "test_operation_stream_is_complete"),
    (ForgetsTheDelayOfOperations, "test_operation_error_has_its_class"),
    (TakesPages, "test_operation_wrong_answer_is_a_failure"),
    (TakesErrorBodies, "test_operation_error_body_with_status_200_is_a_failure"),
    (TakesHalfAnAnswer, "test_operation_truncated_answer_is_a_failure"),
    (EndsBrokenStreams, "test_operation_broken_stream_is_a_failure"),
]

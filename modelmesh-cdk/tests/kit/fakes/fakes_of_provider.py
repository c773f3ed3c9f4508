"""Providers that are each wrong in one way, and the standard test that finds it."""

from __future__ import annotations

import json
from typing import Any

from modelmesh.contracts.call import Limits
from modelmesh.contracts.provider import Answer
from modelmesh.errors import ProviderError, ProviderServerError
from modelmesh.routing.classes import FailureClass
from modelmesh_cdk import OpenAICompatibleProvider
from modelmesh_cdk.catalogue import read_row
from modelmesh_cdk.event_streams import HttpEventStream
from modelmesh_cdk.openai_stream import ChunkDecoder
from modelmesh_cdk.testing import ProviderConformance

ROW = {"id": "acme-1", "capabilities": ["generation.text-generation.chat-completion"]}
DATED = {"source": "the price list of Acme", "as_of": "2026-11-21"}


class Honest(OpenAICompatibleProvider):
    """Wrong in nothing."""

    id = "acme.honest.v1"
    default_base_url = "https://api.acme.example/v1"
    api_key_variable = "ACME_API_KEY"

    rows: list[dict[str, Any]] = [ROW]
    facts: dict[str, str] = DATED

    def shipped_models(self) -> Any:
        return tuple(read_row(row, **self.facts) for row in self.rows)


class Sends(Honest):
    """Derive and change the body in ``write``."""

    def _build_request_payload(self, request: Any) -> dict[str, Any]:
        payload = json.loads(json.dumps(super()._build_request_payload(request)))
        return self.write(payload)

    def write(self, payload: dict[str, Any]) -> dict[str, Any]:
        return payload


class Reads(Honest):
    """Derive and change the answer in ``read``."""

    def _parse_response(self, data: dict[str, Any]) -> dict[str, Any]:
        return self.read(data, data["choices"][0])

    def read(self, data: dict[str, Any], choice: dict[str, Any]) -> dict[str, Any]:
        return data


class Streams(Honest):
    """Derive and change a chunk in ``read``; ``None`` skips it."""

    def _parse_sse_chunk(self, data: str) -> Any:
        chunk = json.loads(data)
        choices = chunk.get("choices") or [{}]
        return self.read(chunk, choices[0], choices[0].get("delta") or {})

    def read(self, chunk: dict[str, Any], choice: dict[str, Any], delta: dict[str, Any]) -> Any:
        return chunk


class Classifies(Honest):
    """Derive and lie about a class in ``lie``."""

    def _classify(self, status: int, code: Any, headers: Any, body: Any) -> Any:
        return self.lie(status, code, headers, body) or super()._classify(status, code, headers, body)

    def lie(self, status: int, code: Any, headers: Any, body: Any) -> Any:
        return None


# -- what is sent ---------------------------------------------------------------------------------------------------------


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
    def _encode(self, request):
        url, headers, body = super()._encode(request)
        return url, [pair for pair in headers if pair[0] not in request.call.options.headers], body


class SaysItIsText(Honest):
    def _build_headers(self):
        return {**super()._build_headers(), "Content-Type": "text/plain"}


class ChangesTheCall(Honest):
    def _build_request_payload(self, request):
        request.payload.pop("temperature", None)
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


# -- where the key is -----------------------------------------------------------------------------------------------------


class SendsTheKeyElsewhere(Honest):
    def _build_headers(self):
        return {"X-Key": self._api_key.reveal()}


class SendsTheKeyInTheBody(Sends):
    def write(self, payload):
        return {**payload, "user": self._api_key.reveal()}


class ShowsTheKey(Honest):
    def __repr__(self) -> str:
        return f"ShowsTheKey({self._api_key.reveal()})"


class KeepsTheEchoedKey(Honest):
    def _refused(self, status, headers, raw):
        error = super()._refused(status, headers, raw)
        error.body = json.loads(raw)
        return error


class NotesTheKey(Honest):
    def _build_request_payload(self, request):
        request.adapted.append(f"authorized as {self._api_key.reveal()}")
        return super()._build_request_payload(request)


class NeedsNoKey(Honest):
    requires_key = False


# -- what an answer holds -------------------------------------------------------------------------------------------------


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
    def _answer(self, request, status, headers, raw):
        return Answer(super()._answer(request, status, headers, raw).body, {}, request.adapted)


class ForgetsUsageInTasks(Honest):
    """Right in threads, wrong in tasks."""

    async def asend(self, call, model, limits):
        answer = await super().asend(call, model, limits)
        if not call.stream:
            answer.body.pop("usage", None)
        return answer


# -- what a stream holds --------------------------------------------------------------------------------------------------


class StripsWords(Streams):
    def read(self, chunk, choice, delta):
        if delta.get("content"):
            delta["content"] = delta["content"].strip()
        return chunk


class RepeatsTheRole(Streams):
    def read(self, chunk, choice, delta):
        if delta:
            delta["role"] = "assistant"
        return chunk


class MakesUpIds(Streams):
    def read(self, chunk, choice, delta):
        return {**chunk, "id": f"chatcmpl-{len(delta)}"}


class AlwaysStops(Streams):
    def read(self, chunk, choice, delta):
        if choice.get("finish_reason") == "length":
            choice["finish_reason"] = "stop"
        return chunk


class SkipsUsage(Streams):
    def read(self, chunk, choice, delta):
        return None if chunk.get("usage") else chunk


class KeepsWhatItKnows(Streams):
    def read(self, chunk, choice, delta):
        delta.pop("of_the_delta", None)
        return chunk


class LosesTheNameOfACall(Streams):
    def read(self, chunk, choice, delta):
        for call in delta.get("tool_calls", ()):
            call["function"].pop("name", None)
        return chunk


class CountsCallsFromZeroEachTime(Streams):
    def read(self, chunk, choice, delta):
        for place, call in enumerate(delta.get("tool_calls", ())):
            call["index"] = place
        return chunk


class _SplitHere:
    """Reads each arrival of bytes for itself, as if the network never cut an event in two."""

    def __init__(self, sse: Any) -> None:
        self._sse = sse

    def feed(self, data: bytes) -> Any:
        made = type(self._sse)()
        yield from made.feed(data)
        yield from made.end()

    def end(self) -> Any:
        return ()


class ReadsEachArrivalForItself(Honest):
    def send(self, call, model, limits):
        stream = super().send(call, model, limits)
        if call.stream:
            stream._reading._sse = _SplitHere(stream._reading._sse)
        return stream


class _LinesOnly:
    def __init__(self, sse: Any) -> None:
        self._sse, self._seen = sse, b""

    def feed(self, data: bytes) -> Any:
        self._seen += data
        whole, _, self._seen = self._seen.rpartition(b"\n\n")
        return list(self._sse.feed(whole + b"\n\n")) if whole else ()

    def end(self) -> Any:
        return ()


class WantsUnixLines(Honest):
    def send(self, call, model, limits):
        stream = super().send(call, model, limits)
        if call.stream:
            stream._reading._sse = _LinesOnly(stream._reading._sse)
        return stream


class InventsAFinish(Honest):
    def send(self, call, model, limits):
        stream = super().send(call, model, limits)
        return _Finished(stream) if call.stream else stream


class _Finished:
    def __init__(self, stream: Any) -> None:
        self._stream, self.headers, self.adapted = stream, stream.headers, stream.adapted

    def __iter__(self) -> Any:
        last = None
        for chunk in self._stream:
            last = (chunk.get("choices") and chunk["choices"][0].get("finish_reason")) or last
            yield chunk
        if last is None:
            yield {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}

    def close(self) -> None:
        self._stream.close()


class _Deaf(HttpEventStream):
    def __iter__(self) -> Any:
        try:
            yield from super().__iter__()
        except ProviderError as error:
            if error.status is not None:
                raise


class TakesACutForTheEnd(Honest):
    def send(self, call, model, limits):
        stream = super().send(call, model, limits)
        if call.stream:
            stream.__class__ = _Deaf
        return stream


class _TakesErrorsForChunks(ChunkDecoder):
    def decode(self, event):
        return () if b'"error"' in event.data else super().decode(event)


class SkipsErrors(Honest):
    def _stream_decoder(self, request):
        return _TakesErrorsForChunks(None, self._event_failure)


class SkipsWhatItCannotRead(Honest):
    def _parse_sse_chunk(self, data):
        try:
            return json.loads(data)
        except ValueError:
            return None


class _ClosesOnce(HttpEventStream):
    closed = False

    def close(self) -> None:
        if self.closed:
            message = "closed already"
            raise RuntimeError(message)
        self.closed = True
        super().close()


class ClosesStreamsOnce(Honest):
    def send(self, call, model, limits):
        stream = super().send(call, model, limits)
        if call.stream:
            stream.__class__ = _ClosesOnce
        return stream


class _ReadsToTheEnd(HttpEventStream):
    def __iter__(self) -> Any:
        self._left = super().__iter__()
        return self._left

    def close(self) -> None:
        for _ in self._left:
            pass


class ReadsToTheEnd(Honest):
    """Closing early reads what is left first, as long as the vendor goes on."""

    def send(self, call, model, limits):
        stream = super().send(call, model, Limits(first_content=1.0, gap=1.0, total=1.0))
        if call.stream:
            stream.__class__ = _ReadsToTheEnd
        return stream


# -- how it fails ---------------------------------------------------------------------------------------------------------


class TakesQuotaForThrottle(Classifies):
    def lie(self, status, code, headers, body):
        return FailureClass.THROTTLE if status == 429 else None


class RetriesTheKey(Honest):
    async def asend(self, call, model, limits):
        if not call.stream:
            return await super().asend(call, model, limits)
        try:
            return await super().asend(call, model, limits)
        except Exception as error:
            message = "no stream"
            raise ProviderServerError(message, failure=FailureClass.SERVER, status=500) from error


class ReadsMilliseconds(Honest):
    def _refused(self, status, headers, raw):
        error = super()._refused(status, headers, raw)
        error.upstream_delay_s = error.upstream_delay_s and error.upstream_delay_s / 1000
        return error


class WaitsForNothing(Honest):
    def _refused(self, status, headers, raw):
        error = super()._refused(status, headers, raw)
        error.upstream_delay_s = error.upstream_delay_s or 0.0
        return error


class LosesTheRequestId(Honest):
    def _refused(self, status, headers, raw):
        return super()._refused(status, {name: value for name, value in headers.items() if "request-id" not in name}, raw)


class LosesTheCode(Honest):
    def _error_code(self, body):
        return body["error"]["type"] if isinstance(body, dict) else None


class WantsJsonRefusals(Classifies):
    def lie(self, status, code, headers, body):
        return None if isinstance(body, dict) else FailureClass.PROTOCOL


class WrapsWhatIsNotJson(Honest):
    def _answer(self, request, status, headers, raw):
        try:
            return super()._answer(request, status, headers, raw)
        except Exception:
            if status != 200 or not raw or b"error" in raw:
                raise
            return Answer({"choices": [{"message": {"content": raw.decode("utf-8", "replace")}}]}, headers)


class TakesNothingForAnAnswer(Honest):
    def _answer(self, request, status, headers, raw):
        return Answer({"choices": []}, headers) if not raw else super()._answer(request, status, headers, raw)


class TakesACutAnswer(Honest):
    def send(self, call, model, limits):
        try:
            return super().send(call, model, limits)
        except Exception as error:
            if getattr(error, "failure", None) not in (FailureClass.AMBIGUOUS, FailureClass.PROTOCOL):
                raise
            return Answer({"choices": []})


class TrustsTheStatus(Honest):
    def _answer(self, request, status, headers, raw):
        return (
            Answer(json.loads(raw), headers)
            if b'"error"' in raw and status == 200
            else super()._answer(request, status, headers, raw)
        )


class StreamsAnything(Honest):
    def _check_is_stream(self, headers):
        pass


class TakesRedirectsForTheCallers(Classifies):
    def lie(self, status, code, headers, body):
        return FailureClass.CALLER if 300 <= status < 400 else None


class TakesRefusedForTimeout(Honest):
    def _broken(self, error, limits):
        error.failure = FailureClass.TIMEOUT
        return super()._broken(error, limits)


# -- who it is ------------------------------------------------------------------------------------------------------------


class HasNoVersion(Honest):
    id = "acme.honest"


class HasAnotherId(Honest):
    id = "acme.another.v1"


class IsUndated(Honest):
    facts = {"source": "the price list of Acme", "as_of": "lately"}


class HasTwins(Honest):
    rows = [ROW, ROW]


class InventsACapability(Honest):
    rows = [{**ROW, "capabilities": ["mind-reading"]}]


class ClosesOnce(Honest):
    closed = False

    def close(self) -> None:
        if self.closed:
            message = "closed already"
            raise RuntimeError(message)
        self.closed = True
        super().close()


FAKES: list[tuple[type, str]] = [
    (JoinsTheVersionTwice, "test_url_is_joined_once"),
    (AsksForItsOwnModel, "test_model_is_the_one_that_was_named"),
    (StripsText, "test_messages_arrive"),
    (LosesTheSeed, "test_parameters_arrive"),
    (LosesZeros, "test_zero_is_kept"),
    (AddsItsOwnTemperature, "test_absent_stays_absent"),
    (LosesWhatIsEmpty, "test_empty_is_kept"),
    (KnowsItAll, "test_unknown_parameters_arrive"),
    (LosesHeaders, "test_extra_headers_arrive"),
    (SaysItIsText, "test_body_is_json_and_says_so"),
    (ChangesTheCall, "test_call_is_not_changed"),
    (LosesTheTemperatureOfStreams, "test_stream_is_asked_for"),
    (LosesTheChoiceOfATool, "test_tools_are_sent"),
    (LosesTheIdOfAResult, "test_tool_results_are_sent"),
    (LosesTheDetailOfAnImage, "test_images_are_sent"),
    (RelaxesTheSchema, "test_json_schema_is_sent"),
    (SendsTheKeyElsewhere, "test_key_is_sent"),
    (SendsTheKeyInTheBody, "test_key_is_sent_once"),
    (ShowsTheKey, "test_key_is_in_no_repr"),
    (KeepsTheEchoedKey, "test_key_is_in_no_error"),
    (NotesTheKey, "test_key_is_in_no_note"),
    (NeedsNoKey, "test_missing_key_is_a_configuration_error"),
    (StripsTheAnswer, "test_answer_has_its_text"),
    (TakesEmptyForAbsent, "test_empty_text_is_not_absent"),
    (CountsForItself, "test_answer_has_its_usage"),
    (ForgetsUsageInTasks, "test_answer_has_its_usage"),
    (TakesUnknownForZero, "test_unknown_usage_is_not_zero"),
    (KnowsTwoReasons, "test_answer_has_its_finish_reason"),
    (NamesTheModelItAsked, "test_answer_names_the_model"),
    (LosesUnknownFields, "test_answer_keeps_unknown_fields"),
    (GivesOneChoice, "test_every_choice_comes_back"),
    (DecodesArguments, "test_tool_calls_come_back"),
    (GivesOneCall, "test_parallel_tool_calls_come_back"),
    (LosesTheirHeaders, "test_headers_come_back"),
    (StripsWords, "test_stream_has_its_text"),
    (RepeatsTheRole, "test_stream_says_the_role_once"),
    (MakesUpIds, "test_stream_has_one_id"),
    (AlwaysStops, "test_stream_has_its_finish_reason"),
    (SkipsUsage, "test_stream_has_its_usage"),
    (KeepsWhatItKnows, "test_stream_keeps_unknown_fields"),
    (LosesTheNameOfACall, "test_streamed_tool_calls_are_whole"),
    (CountsCallsFromZeroEachTime, "test_streamed_parallel_tool_calls_keep_their_indices"),
    (ReadsEachArrivalForItself, "test_any_split_of_the_bytes_gives_the_same_chunks"),
    (WantsUnixLines, "test_line_ends_and_comments_change_nothing"),
    (InventsAFinish, "test_stream_without_finish_is_never_complete"),
    (TakesACutForTheEnd, "test_cut_stream_is_a_failure"),
    (SkipsErrors, "test_error_event_is_a_failure"),
    (SkipsWhatItCannotRead, "test_event_that_cannot_be_read_is_a_failure"),
    (ClosesStreamsOnce, "test_stream_may_be_closed_twice"),
    (ReadsToTheEnd, "test_closing_early_closes_the_connection"),
    (TakesQuotaForThrottle, "test_refusal_has_its_class"),
    (RetriesTheKey, "test_refusal_of_a_stream_has_its_class"),
    (ReadsMilliseconds, "test_retry_after_is_kept"),
    (WaitsForNothing, "test_no_retry_after_is_unknown"),
    (LosesTheRequestId, "test_request_id_of_a_failure_is_kept"),
    (LosesTheCode, "test_error_body_is_kept"),
    (WantsJsonRefusals, "test_refusal_that_is_not_json_has_its_class"),
    (WrapsWhatIsNotJson, "test_answer_that_is_not_json_is_a_failure"),
    (TakesNothingForAnAnswer, "test_empty_answer_is_a_failure"),
    (TakesACutAnswer, "test_cut_answer_is_a_failure"),
    (TrustsTheStatus, "test_error_dressed_as_success_is_a_failure"),
    (StreamsAnything, "test_page_instead_of_a_stream_is_a_failure"),
    (TakesRedirectsForTheCallers, "test_redirect_is_not_followed"),
    (TakesRefusedForTimeout, "test_nobody_listening_was_not_sent"),
    (HasNoVersion, "test_id_is_an_id"),
    (HasAnotherId, "test_id_agrees_with_the_entry_point"),
    (IsUndated, "test_models_are_dated_and_sourced"),
    (HasTwins, "test_models_are_told_apart"),
    (InventsACapability, "test_models_have_known_capabilities"),
    (ClosesOnce, "test_provider_may_be_closed_twice"),
]
KIT = ProviderConformance


class TestHonest(ProviderConformance):
    provider_class = Honest


for fake, _ in FAKES:
    name = f"Test{fake.__name__}"
    globals()[name] = type(name, (KIT,), {"provider_class": fake, "__module__": __name__})

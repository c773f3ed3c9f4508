"""Providers with faulty errors."""

from __future__ import annotations

import json
from typing import ClassVar

from provider_fakes.honest import Classifies, Honest

from modelmesh.contracts import FailureClass
from modelmesh.contracts.provider import Answer
from modelmesh.errors import ProviderServerError


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
    def _map_error_response(self, status, headers, raw):
        error = super()._map_error_response(status, headers, raw)
        error.upstream_delay_s = error.upstream_delay_s and error.upstream_delay_s / 1000
        return error


class WaitsForNothing(Honest):
    def _map_error_response(self, status, headers, raw):
        error = super()._map_error_response(status, headers, raw)
        error.upstream_delay_s = error.upstream_delay_s or 0.0
        return error


class LosesTheRequestId(Honest):
    def _map_error_response(self, status, headers, raw):
        return super()._map_error_response(
            status, {name: value for name, value in headers.items() if "request-id" not in name}, raw
        )


class LosesTheCode(Honest):
    def _error_code(self, body):
        return body["error"]["type"] if isinstance(body, dict) else None


class WantsJsonRefusals(Classifies):
    def lie(self, status, code, headers, body):
        return None if isinstance(body, dict) else FailureClass.PROTOCOL


class BlamesTheRequestForAPage(Honest):
    def _map_error_response(self, status, headers, raw):
        page = raw.lstrip().startswith(b"<")
        return self.build_error(status, headers, raw.decode()) if page else super()._map_error_response(status, headers, raw)


class WrapsWhatIsNotJson(Honest):
    def _decode_response(self, request, status, headers, raw):
        try:
            return super()._decode_response(request, status, headers, raw)
        except Exception:
            if status != 200 or not raw or b"error" in raw:
                raise
            return Answer({"choices": [{"message": {"content": raw.decode("utf-8", "replace")}}]}, headers)


class TakesNothingForAnAnswer(Honest):
    def _decode_response(self, request, status, headers, raw):
        return Answer({"choices": []}, headers) if not raw else super()._decode_response(request, status, headers, raw)


class TakesACutAnswer(Honest):
    def send(self, call, model, limits):
        try:
            return super().send(call, model, limits)
        except Exception as error:
            if getattr(error, "failure", None) not in (FailureClass.DISCONNECT, FailureClass.PROTOCOL):
                raise
            return Answer({"choices": []})


class TrustsTheStatus(Honest):
    def _decode_response(self, request, status, headers, raw):
        return (
            Answer(json.loads(raw), headers)
            if b'"error"' in raw and status == 200
            else super()._decode_response(request, status, headers, raw)
        )


class StreamsAnything(Honest):
    def send(self, call, model, limits):
        try:
            return super().send(call, model, limits)
        except Exception as error:
            if not call.stream or getattr(error, "failure", None) != FailureClass.PROTOCOL:
                raise
            return _Empty()


class _Empty:
    headers: ClassVar = {}
    adapted = ()

    def __iter__(self):
        return iter(())

    def commit(self):
        pass

    def close(self):
        pass


class TakesRedirectsForTheCallers(Classifies):
    def lie(self, status, code, headers, body):
        return FailureClass.CALLER if 300 <= status < 400 else None


class TakesRefusedForTimeout(Honest):
    def send(self, call, model, limits):
        try:
            return super().send(call, model, limits)
        except Exception as error:
            error.failure = FailureClass.TIMEOUT
            raise


FAKES: list[tuple[type, str]] = [
    (TakesQuotaForThrottle, "test_error_response_has_its_class"),
    (RetriesTheKey, "test_stream_error_response_has_its_class"),
    (ReadsMilliseconds, "test_retry_after_is_reported"),
    (WaitsForNothing, "test_missing_retry_after_is_none"),
    (LosesTheRequestId, "test_error_has_the_request_id"),
    (LosesTheCode, "test_error_has_code_and_body"),
    (WantsJsonRefusals, "test_error_without_json_has_its_class"),
    (BlamesTheRequestForAPage, "test_error_page_of_proxy_is_an_outage"),
    (WrapsWhatIsNotJson, "test_response_without_json_is_a_failure"),
    (TakesNothingForAnAnswer, "test_empty_response_is_a_failure"),
    (TakesACutAnswer, "test_truncated_response_is_a_failure"),
    (TrustsTheStatus, "test_error_body_with_status_200_is_a_failure"),
    (StreamsAnything, "test_page_instead_of_stream_is_a_failure"),
    (TakesRedirectsForTheCallers, "test_redirect_is_not_followed"),
    (TakesRefusedForTimeout, "test_refused_connection_was_not_sent"),
]

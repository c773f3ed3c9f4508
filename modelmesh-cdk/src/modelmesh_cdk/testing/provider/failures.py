"""Tests of errors, which decide what the mesh does next."""

from __future__ import annotations

import json
import socket

import pytest
from attrs import evolve

from modelmesh._engine.foundation.failure_rules import error_type
from modelmesh.contracts import FailureClass
from modelmesh.errors import ProviderError, RateLimitError
from modelmesh_cdk.testing.callers import Caller
from modelmesh_cdk.testing.dialects.protocol import Refusal
from modelmesh_cdk.testing.dialects.samples import text_answer
from modelmesh_cdk.testing.provider.subject import Subject
from modelmesh_cdk.testing.upstream import Script, Upstream

_F = FailureClass


class Failures(Subject):
    """Every failure is a ``ProviderError`` of the right class with the vendor's details."""

    def refused(self, ask: Caller, script: Script, upstream: Upstream, *, stream: bool = False) -> ProviderError:
        """Return the error of a chat with this scripted response."""
        upstream.then(script)
        if stream:
            self.require("supports_streaming")
        with pytest.raises(ProviderError) as caught:
            ask.chunks() if stream else ask.answer()
        return caught.value

    def test_error_response_has_its_class(self, refusal: Refusal, ask: Caller, upstream: Upstream) -> None:
        """The status and body of an error response decide the failure class, and the class decides the error type."""
        error = self.refused(ask, refusal.script(), upstream)
        assert (error.failure, error.status) == (refusal.failure, refusal.status)
        assert isinstance(error, error_type(refusal.failure, refusal.status))

    @pytest.mark.parametrize(("status", "failure"), [(401, _F.CREDENTIAL), (429, _F.THROTTLE), (500, _F.SERVER)])
    def test_stream_error_response_has_its_class(
        self, status: int, failure: FailureClass, ask: Caller, upstream: Upstream
    ) -> None:
        """An error response to a streamed request raises before the first chunk, as it does without a stream."""
        error = self.refused(ask, self.wire.write_error(status, "test"), upstream, stream=True)
        assert (error.failure, error.status) == (failure, status)

    @pytest.mark.parametrize("seconds", [7.0, 0.5])
    def test_retry_after_is_reported(self, seconds: float, ask: Caller, upstream: Upstream) -> None:
        """The delay that the vendor requests is reported in seconds."""
        error = self.refused(ask, self.wire.write_error(429, "test", wait=seconds), upstream)
        assert isinstance(error, RateLimitError)
        assert error.upstream_delay_s == seconds

    def test_missing_retry_after_is_none(self, ask: Caller, upstream: Upstream) -> None:
        """Without a requested delay the value is ``None``, not zero."""
        assert self.refused(ask, self.wire.write_error(429, "test"), upstream).upstream_delay_s is None

    def test_error_has_the_request_id(self, ask: Caller, upstream: Upstream) -> None:
        """The error contains the request ID that the vendor's support asks for."""
        assert self.refused(ask, self.wire.write_error(500, "test", request_id="req-test"), upstream).request_id == "req-test"

    def test_error_has_code_and_body(self, ask: Caller, upstream: Upstream) -> None:
        """The error contains the vendor's code and body. Without a code the value is ``None``."""
        script = self.wire.write_error(400, "test", code="a_code_of_tomorrow")
        error = self.refused(ask, script, upstream)
        assert error.code == ("a_code_of_tomorrow" if self.wire.has_error_codes else None)
        assert error.body == json.loads(bytes(script.body))  # type: ignore[arg-type]

    def test_error_without_json_has_its_class(self, ask: Caller, upstream: Upstream) -> None:
        """An HTML page of a gateway is classified by its status."""
        error = self.refused(ask, Script(502, b"<html>Bad gateway</html>", content_type="text/html"), upstream)
        assert (error.failure, error.status) == (_F.SERVER, 502)

    @pytest.mark.parametrize("status", [400, 404])
    def test_error_page_of_proxy_is_an_outage(self, status: int, ask: Caller, upstream: Upstream) -> None:
        """An HTML page comes from a proxy in front of the vendor's API and does not reject the request."""
        error = self.refused(ask, Script(status, b"<html>Not here</html>", content_type="text/html"), upstream)
        assert error.failure in (_F.PROTOCOL, _F.SERVER)

    @pytest.mark.parametrize("body", [b"<html>Welcome</html>", b'{"choices": [', b'"text"', b"\xff\xfe"])
    def test_response_without_json_is_a_failure(self, body: bytes, ask: Caller, upstream: Upstream) -> None:
        """A successful response whose body is not a JSON object is an error."""
        assert self.refused(ask, Script(200, body), upstream).failure is _F.PROTOCOL

    def test_empty_response_is_a_failure(self, ask: Caller, upstream: Upstream) -> None:
        """A successful response without a body is an error."""
        assert self.refused(ask, Script(200, b""), upstream).failure is _F.PROTOCOL

    def test_truncated_response_is_a_failure(self, ask: Caller, upstream: Upstream) -> None:
        """A response shorter than its announced length is an error, even if the received part can be parsed."""
        error = self.refused(ask, Script(200, self.wire.write_response(text_answer()), cut=True), upstream)
        assert error.failure in (_F.DISCONNECT, _F.PROTOCOL)

    def test_error_body_with_status_200_is_a_failure(self, ask: Caller, upstream: Upstream) -> None:
        """An error body with status 200 is an error. Its code decides the failure class where it has one."""
        script = evolve(self.wire.write_error(429, "busy"), status=200)
        error = self.refused(ask, script, upstream)
        assert isinstance(error, RateLimitError) or not self.wire.has_error_codes, (
            f"the vendor reported that it is busy: {error!r}"
        )

    def test_page_instead_of_stream_is_a_failure(self, ask: Caller, upstream: Upstream) -> None:
        """An HTML page in place of an event stream is an error."""
        script = Script(200, b"<html>Welcome</html>", content_type="text/html")
        assert self.refused(ask, script, upstream, stream=True).failure is _F.PROTOCOL

    def test_redirect_is_not_followed(self, ask: Caller, upstream: Upstream) -> None:
        """The key is not sent to the target of a redirect."""
        error = self.refused(ask, Script(307, b"", {"Location": f"{upstream.url}/elsewhere"}), upstream)
        assert (error.failure, len(upstream.received)) == (_F.MISCONFIGURED, 1)

    def test_refused_connection_was_not_sent(self, upstream: Upstream) -> None:
        """A refused connection is reported as not sent, so that the mesh may retry at once."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
            address = f"http://127.0.0.1:{taken.getsockname()[1]}"
            for in_task in (False, True):
                with Caller(self.make(upstream, base_url=address), in_task=in_task) as ask:
                    with pytest.raises(ProviderError) as caught:
                        ask.answer()
                    assert caught.value.failure is _F.CONNECT

"""What the mesh learns of a request that failed; what it does next depends on nothing else."""

from __future__ import annotations

import json
import socket

import pytest
from attrs import evolve

from modelmesh._engine.foundation.failure_rules import error_type
from modelmesh.contracts import FailureClass
from modelmesh.errors import ProviderError, RateLimitError
from modelmesh_cdk.testing.asking import Asking
from modelmesh_cdk.testing.dialects.protocol import Refusal
from modelmesh_cdk.testing.dialects.samples import text_answer
from modelmesh_cdk.testing.provider.subject import Subject
from modelmesh_cdk.testing.upstream import Script, Upstream

_F = FailureClass


class Failures(Subject):
    """Every failure is a ``ProviderError`` of the right class, with what the vendor said about it."""

    def refused(self, ask: Asking, script: Script, upstream: Upstream, *, stream: bool = False) -> ProviderError:
        """Return the error of a chat that is answered by this script."""
        upstream.then(script)
        if stream:
            self.require("supports_streaming")
        with pytest.raises(ProviderError) as caught:
            ask.chunks() if stream else ask.answer()
        return caught.value

    def test_refusal_has_its_class(self, refusal: Refusal, ask: Asking, upstream: Upstream) -> None:
        """Status and body of a refusal give its class, and the class its type."""
        error = self.refused(ask, refusal.script(), upstream)
        assert (error.failure, error.status) == (refusal.failure, refusal.status)
        assert isinstance(error, error_type(refusal.failure, refusal.status))

    @pytest.mark.parametrize(("status", "failure"), [(401, _F.CREDENTIAL), (429, _F.THROTTLE), (500, _F.SERVER)])
    def test_refusal_of_a_stream_has_its_class(self, status: int, failure: FailureClass, ask: Asking, upstream: Upstream) -> None:
        """A stream that is refused fails as a plain answer does, before its first chunk."""
        error = self.refused(ask, self.wire.refusal(status, "test"), upstream, stream=True)
        assert (error.failure, error.status) == (failure, status)

    @pytest.mark.parametrize("seconds", [7.0, 0.5])
    def test_retry_after_is_kept(self, seconds: float, ask: Asking, upstream: Upstream) -> None:
        """How long the vendor asks to wait reaches the mesh, in seconds."""
        error = self.refused(ask, self.wire.refusal(429, "test", wait=seconds), upstream)
        assert isinstance(error, RateLimitError)
        assert error.upstream_delay_s == seconds

    def test_no_retry_after_is_unknown(self, ask: Asking, upstream: Upstream) -> None:
        """A vendor that does not say how long to wait has not said zero."""
        assert self.refused(ask, self.wire.refusal(429, "test"), upstream).upstream_delay_s is None

    def test_request_id_of_a_failure_is_kept(self, ask: Asking, upstream: Upstream) -> None:
        """The vendor's support desk asks for the ID of the request."""
        assert self.refused(ask, self.wire.refusal(500, "test", request_id="req-test"), upstream).request_id == "req-test"

    def test_error_body_is_kept(self, ask: Asking, upstream: Upstream) -> None:
        """Code and body of the refusal are the vendor's own; without a code there is none."""
        script = self.wire.refusal(400, "test", code="a_code_of_tomorrow")
        error = self.refused(ask, script, upstream)
        assert error.code == ("a_code_of_tomorrow" if self.wire.codes else None)
        assert error.body == json.loads(bytes(script.body))  # type: ignore[arg-type]

    def test_refusal_that_is_not_json_has_its_class(self, ask: Asking, upstream: Upstream) -> None:
        """A gateway's page of HTML says no less than its status."""
        error = self.refused(ask, Script(502, b"<html>Bad gateway</html>", content_type="text/html"), upstream)
        assert (error.failure, error.status) == (_F.SERVER, 502)

    @pytest.mark.parametrize("status", [400, 404])
    def test_page_instead_of_a_refusal_is_an_outage(self, status: int, ask: Asking, upstream: Upstream) -> None:
        """A page of HTML comes from a proxy in front of the vendor's API and is no refusal of the request."""
        error = self.refused(ask, Script(status, b"<html>Not here</html>", content_type="text/html"), upstream)
        assert error.failure in (_F.PROTOCOL, _F.SERVER)

    @pytest.mark.parametrize("body", [b"<html>Welcome</html>", b'{"choices": [', b'"text"', b"\xff\xfe"])
    def test_answer_that_is_not_json_is_a_failure(self, body: bytes, ask: Asking, upstream: Upstream) -> None:
        """A success whose body is no JSON object is no answer."""
        assert self.refused(ask, Script(200, body), upstream).failure is _F.PROTOCOL

    def test_empty_answer_is_a_failure(self, ask: Asking, upstream: Upstream) -> None:
        """A success without a body is no answer."""
        assert self.refused(ask, Script(200, b""), upstream).failure is _F.PROTOCOL

    def test_cut_answer_is_a_failure(self, ask: Asking, upstream: Upstream) -> None:
        """An answer shorter than its announced length is no answer, also when what came can be read."""
        error = self.refused(ask, Script(200, self.wire.answer(text_answer()), cut=True), upstream)
        assert error.failure in (_F.DISCONNECT, _F.PROTOCOL)

    def test_error_dressed_as_success_is_a_failure(self, ask: Asking, upstream: Upstream) -> None:
        """An error body under status 200 is an error, and of the class that its code says where it has one."""
        script = evolve(self.wire.refusal(429, "busy"), status=200)
        error = self.refused(ask, script, upstream)
        assert isinstance(error, RateLimitError) or not self.wire.codes, f"the vendor said that it is busy: {error!r}"

    def test_page_instead_of_a_stream_is_a_failure(self, ask: Asking, upstream: Upstream) -> None:
        """Where events were to come and a page of HTML comes, nothing was streamed."""
        script = Script(200, b"<html>Welcome</html>", content_type="text/html")
        assert self.refused(ask, script, upstream, stream=True).failure is _F.PROTOCOL

    def test_redirect_is_not_followed(self, ask: Asking, upstream: Upstream) -> None:
        """The key does not follow a redirect to where nobody configured it to go."""
        error = self.refused(ask, Script(307, b"", {"Location": f"{upstream.url}/elsewhere"}), upstream)
        assert (error.failure, len(upstream.received)) == (_F.MISCONFIGURED, 1)

    def test_nobody_listening_was_not_sent(self, upstream: Upstream) -> None:
        """Where no connection stands, the mesh may try again at once: nothing was sent."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
            address = f"http://127.0.0.1:{taken.getsockname()[1]}"
            for in_task in (False, True):
                with Asking(self.make(upstream, base_url=address), in_task=in_task) as ask:
                    with pytest.raises(ProviderError) as caught:
                        ask.answer()
                    assert caught.value.failure is _F.CONNECT

"""Tests of the API key."""

from __future__ import annotations

import json
import traceback

import pytest
from attrs import evolve

from modelmesh.errors import ConfigurationError, ProviderError
from modelmesh_cdk.testing.callers import Caller
from modelmesh_cdk.testing.dialects.samples import text_answer
from modelmesh_cdk.testing.provider.subject import KEY, Subject
from modelmesh_cdk.testing.upstream import Upstream


class Secrecy(Subject):
    """The key is sent to the vendor in one place and appears nowhere else."""

    def test_key_is_sent(self, ask: Caller, upstream: Upstream) -> None:
        """The key is sent in the vendor's place, even if the vendor needs none."""
        self.reply(upstream, text_answer())
        ask.answer()
        assert self.wire.key(upstream.last) == KEY

    def test_key_is_sent_in_one_header(self, ask: Caller, upstream: Upstream) -> None:
        """The key is in one header, and not in the URL or the body, which are often logged."""
        self.reply(upstream, text_answer())
        ask.answer()
        received = upstream.last
        assert KEY not in received.path
        assert KEY.encode() not in received.body
        assert [name for name, value in received.headers.items() if KEY in value] != [], "the key was not sent"
        assert sum(value.count(KEY) for value in received.headers.values()) == 1

    def test_key_is_in_no_repr(self, provider: object) -> None:
        """The representations of the provider and of its settings do not show the key."""
        shown = f"{provider!r} {provider} {getattr(provider, 'config', '')!r}"
        assert KEY not in shown

    def test_key_is_in_no_error(self, ask: Caller, upstream: Upstream) -> None:
        """A key that the vendor repeats is in no message, body or traceback of the error."""
        for status, code in ((401, None), (400, None), (500, KEY)):
            refusal = self.wire.write_error(status, f"Incorrect API key provided: {KEY}", code=code)
            upstream.then(evolve(refusal, body=json.dumps({**json.loads(bytes(refusal.body)), KEY: KEY}).encode()))  # type: ignore[arg-type]
            with pytest.raises(ProviderError) as caught:
                ask.answer()
            error = caught.value
            known = json.dumps([str(error), repr(error), repr(vars(error))])
            assert KEY not in known, f"HTTP {status}"
            assert KEY not in "".join(traceback.format_exception(error)), f"the traceback of HTTP {status}"

    def test_key_is_in_no_adaptation_note(self, ask: Caller, upstream: Upstream) -> None:
        """The notes on adaptation do not contain the key."""
        self.reply(upstream, text_answer())
        answer = ask.answer({"temperature": 0.1, "a_parameter_of_tomorrow": 1})
        assert KEY not in repr(list(answer.adapted))

    def test_key_missing_names_the_variable(self, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
        """A missing key that the vendor requires is an error of construction that names the variable. Else no key is sent."""
        cls = self.provider_class
        variables = [name for name in (cls.api_key_variable, *getattr(cls, "other_key_variables", ())) if name]
        for name in variables:
            monkeypatch.delenv(name, raising=False)
        if self.needs_key:
            with pytest.raises(ConfigurationError) as caught:
                self.make(upstream, api_key=None)
            assert (variables or ["api_key"])[0] in str(caught.value)
            return
        self.reply(upstream, text_answer())
        with Caller(self.make(upstream, api_key=None), in_task=False) as ask:
            ask.answer()
        assert self.wire.key(upstream.last) is None

"""Tests of responses without a stream."""

from __future__ import annotations

from typing import Any

import pytest

from modelmesh.contracts import RULES
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing.callers import MODEL, Caller
from modelmesh_cdk.testing.dialects.samples import CALLS, USAGE, WORDS, text_answer, tool_answer
from modelmesh_cdk.testing.provider.subject import Subject
from modelmesh_cdk.testing.upstream import Upstream


class Answers(Subject):
    """The caller gets the vendor's response in OpenAI's format, complete and without invented values."""

    def answered(self, ask: Caller, upstream: Upstream, body: dict[str, Any]) -> dict[str, Any]:
        """Return the caller's response for a response of the vendor."""
        self.reply(upstream, body)
        answer = ask.answer().body
        assert isinstance(answer, dict), "an answer is a dictionary"
        return answer

    def test_response_text_is_complete(self, ask: Caller, upstream: Upstream) -> None:
        """The text is exactly the vendor's."""
        message = self.answered(ask, upstream, text_answer())["choices"][0]["message"]
        assert (message["role"], message["content"]) == ("assistant", "".join(WORDS))

    def test_response_empty_text_is_not_none(self, ask: Caller, upstream: Upstream) -> None:
        """Empty text is ``""``. A response without text has ``None``."""
        got = [self.answered(ask, upstream, text_answer(text))["choices"][0]["message"]["content"] for text in ("", None)]
        assert got == ["", None]

    def test_response_has_usage(self, ask: Caller, upstream: Upstream) -> None:
        """Token counts are the vendor's."""
        usage = self.answered(ask, upstream, text_answer())["usage"]
        assert {name: usage.get(name) for name in USAGE} == USAGE

    def test_response_unknown_usage_is_not_zero(self, ask: Caller, upstream: Upstream) -> None:
        """Token counts that the vendor does not report are not zero."""
        body = text_answer()
        del body["usage"]
        usage = self.answered(ask, upstream, body).get("usage")
        assert not usage or all(count is None for count in usage.values())

    def test_response_has_finish_reason(self, finish: tuple[str, str], ask: Caller, upstream: Upstream) -> None:
        """The finish reason is one of OpenAI's. The dialect defines the value for an unknown one."""
        theirs, ours = finish
        body = text_answer()
        body["choices"][0]["finish_reason"] = theirs
        assert self.answered(ask, upstream, body)["choices"][0]["finish_reason"] == ours

    def test_response_with_failed_reason_is_a_failure(self, ask: Caller, upstream: Upstream) -> None:
        """A response whose finish reason reports a failure of the vendor is an error, so that another model is tried."""
        for theirs in self.failed_finish_reasons:
            body = text_answer()
            body["choices"][0]["finish_reason"] = theirs
            self.reply(upstream, body)
            with pytest.raises(ProviderError) as caught:
                ask.answer()
            assert RULES[caught.value.failure].rotate

    def test_response_names_the_model(self, ask: Caller, upstream: Upstream) -> None:
        """The model is the one that the vendor reports, else the requested one."""
        named = "test-model-2026-11-21"
        expected = named if self.wire.reports_model else MODEL
        assert self.answered(ask, upstream, text_answer(model=named))["model"] == expected

    def test_response_keeps_unknown_fields(self, ask: Caller, upstream: Upstream) -> None:
        """Unknown fields reach the caller from every level of the format."""
        body = text_answer(of_the_vendor={"n": 0})
        body["choices"][0]["message"]["of_the_message"] = False
        body["choices"][0]["of_the_choice"] = ""
        body["usage"]["of_the_usage"] = {"cached": 3}
        got = self.answered(ask, upstream, body)
        names = {"answer": "of_the_vendor", "message": "of_the_message", "choice": "of_the_choice", "usage": "of_the_usage"}
        kept = {name: self.extra_fields_of(got, part).get(name, "lost") for part, name in names.items()}
        assert kept == {"of_the_vendor": {"n": 0}, "of_the_message": False, "of_the_choice": "", "of_the_usage": {"cached": 3}}

    def test_response_has_all_choices(self, ask: Caller, upstream: Upstream) -> None:
        """The caller gets all choices of the response."""
        self.require("supports_several_choices")
        body = text_answer()
        body["choices"] = [{**body["choices"][0], "index": n} for n in range(3)]
        assert [choice["index"] for choice in self.answered(ask, upstream, body)["choices"]] == [0, 1, 2]

    def test_response_has_tool_calls(self, ask: Caller, upstream: Upstream) -> None:
        """Tool calls have ID, name and arguments. Arguments are JSON text, exactly the vendor's where the vendor sends text."""
        self.require("supports_tools")
        choice = self.answered(ask, upstream, tool_answer())["choices"][0]
        call = choice["message"]["tool_calls"][0]
        assert (call["id"], call["type"], call["function"]["name"]) == (CALLS[0]["id"], "function", CALLS[0]["function"]["name"])
        assert self.arguments(call["function"]["arguments"]) == self.arguments(CALLS[0]["function"]["arguments"])
        assert choice["finish_reason"] == "tool_calls"

    def test_response_has_parallel_tool_calls(self, ask: Caller, upstream: Upstream) -> None:
        """The caller gets all calls in order, including one without arguments."""
        self.require("supports_tools")
        self.require("supports_parallel_tool_calls")
        calls = self.answered(ask, upstream, tool_answer())["choices"][0]["message"]["tool_calls"]
        assert [(call["id"], self.arguments(call["function"]["arguments"])) for call in calls] == [
            (call["id"], self.arguments(call["function"]["arguments"])) for call in CALLS
        ]

    def test_response_has_headers(self, ask: Caller, upstream: Upstream) -> None:
        """Response headers reach the caller, with names in lower case."""
        self.reply(upstream, text_answer(), **{"X-Request-Id": "req-test"})
        assert ask.answer().headers.get("x-request-id") == "req-test"

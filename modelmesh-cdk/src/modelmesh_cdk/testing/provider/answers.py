"""What the caller gets of a whole answer."""

from __future__ import annotations

from typing import Any

import pytest

from modelmesh.contracts import RULES
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing.asking import MODEL, Asking
from modelmesh_cdk.testing.dialects.samples import CALLS, USAGE, WORDS, text_answer, tool_answer
from modelmesh_cdk.testing.provider.subject import Subject
from modelmesh_cdk.testing.upstream import Upstream


class Answers(Subject):
    """What the vendor said reaches the caller, in OpenAI's shape, and nothing is invented."""

    def answered(self, ask: Asking, upstream: Upstream, body: dict[str, Any]) -> dict[str, Any]:
        """Return what the caller gets of this answer."""
        self.say(upstream, body)
        answer = ask.answer().body
        assert isinstance(answer, dict), "an answer is a dictionary"
        return answer

    def test_answer_has_its_text(self, ask: Asking, upstream: Upstream) -> None:
        """The text is the vendor's, to the last byte."""
        message = self.answered(ask, upstream, text_answer())["choices"][0]["message"]
        assert (message["role"], message["content"]) == ("assistant", "".join(WORDS))

    def test_empty_text_is_not_absent(self, ask: Asking, upstream: Upstream) -> None:
        """An empty answer is ``""``, one without text is ``None``."""
        got = [self.answered(ask, upstream, text_answer(text))["choices"][0]["message"]["content"] for text in ("", None)]
        assert got == ["", None]

    def test_answer_has_its_usage(self, ask: Asking, upstream: Upstream) -> None:
        """Token counts are the vendor's."""
        usage = self.answered(ask, upstream, text_answer())["usage"]
        assert {name: usage.get(name) for name in USAGE} == USAGE

    def test_unknown_usage_is_not_zero(self, ask: Asking, upstream: Upstream) -> None:
        """A vendor that says nothing of tokens has not said zero."""
        body = text_answer()
        del body["usage"]
        usage = self.answered(ask, upstream, body).get("usage")
        assert not usage or all(count is None for count in usage.values())

    def test_answer_has_its_finish_reason(self, finish: tuple[str, str], ask: Asking, upstream: Upstream) -> None:
        """The finish reason is one of OpenAI's; the dialect defines what the caller gets for an unknown one."""
        theirs, ours = finish
        body = text_answer()
        body["choices"][0]["finish_reason"] = theirs
        assert self.answered(ask, upstream, body)["choices"][0]["finish_reason"] == ours

    def test_answer_that_broke_is_a_failure(self, ask: Asking, upstream: Upstream) -> None:
        """An answer that the vendor failed at is no answer, so that another model may give one."""
        for theirs in self.failed_reasons:
            body = text_answer()
            body["choices"][0]["finish_reason"] = theirs
            self.say(upstream, body)
            with pytest.raises(ProviderError) as caught:
                ask.answer()
            assert RULES[caught.value.failure].rotate

    def test_answer_names_the_model(self, ask: Asking, upstream: Upstream) -> None:
        """The model is the one that the vendor says has answered, not the one that was asked, unless it says nothing."""
        named = "test-model-2026-11-21"
        expected = named if self.wire.names_model else MODEL
        assert self.answered(ask, upstream, text_answer(model=named))["model"] == expected

    def test_answer_keeps_unknown_fields(self, ask: Asking, upstream: Upstream) -> None:
        """Fields that nobody knows reach the caller, from every depth that the format has."""
        body = text_answer(of_the_vendor={"n": 0})
        body["choices"][0]["message"]["of_the_message"] = False
        body["choices"][0]["of_the_choice"] = ""
        body["usage"]["of_the_usage"] = {"cached": 3}
        got = self.answered(ask, upstream, body)
        names = {"answer": "of_the_vendor", "message": "of_the_message", "choice": "of_the_choice", "usage": "of_the_usage"}
        kept = {name: self.placed(got, part).get(name, "lost") for part, name in names.items()}
        assert kept == {"of_the_vendor": {"n": 0}, "of_the_message": False, "of_the_choice": "", "of_the_usage": {"cached": 3}}

    def test_every_choice_comes_back(self, ask: Asking, upstream: Upstream) -> None:
        """When the vendor gives several choices, the caller gets them all."""
        self.require("supports_several_choices")
        body = text_answer()
        body["choices"] = [{**body["choices"][0], "index": n} for n in range(3)]
        assert [choice["index"] for choice in self.answered(ask, upstream, body)["choices"]] == [0, 1, 2]

    def test_tool_calls_come_back(self, ask: Asking, upstream: Upstream) -> None:
        """Tool calls have their IDs, names and arguments; arguments are JSON as text, to the letter where they come as text."""
        self.require("supports_tools")
        choice = self.answered(ask, upstream, tool_answer())["choices"][0]
        call = choice["message"]["tool_calls"][0]
        assert (call["id"], call["type"], call["function"]["name"]) == (CALLS[0]["id"], "function", CALLS[0]["function"]["name"])
        assert self.arguments(call["function"]["arguments"]) == self.arguments(CALLS[0]["function"]["arguments"])
        assert choice["finish_reason"] == "tool_calls"

    def test_parallel_tool_calls_come_back(self, ask: Asking, upstream: Upstream) -> None:
        """All calls of one answer come back, in order, one without arguments among them."""
        self.require("supports_tools")
        self.require("supports_parallel_tool_calls")
        calls = self.answered(ask, upstream, tool_answer())["choices"][0]["message"]["tool_calls"]
        assert [(call["id"], self.arguments(call["function"]["arguments"])) for call in calls] == [
            (call["id"], self.arguments(call["function"]["arguments"])) for call in CALLS
        ]

    def test_headers_come_back(self, ask: Asking, upstream: Upstream) -> None:
        """Response headers reach the caller, their names in lower case."""
        self.say(upstream, text_answer(), **{"X-Request-Id": "req-test"})
        assert ask.answer().headers.get("x-request-id") == "req-test"

"""What the caller gets of a whole answer."""

from __future__ import annotations

from typing import Any

import pytest

from modelmesh_cdk.testing.asking import Asking
from modelmesh_cdk.testing.dialects import CALLS, USAGE, WORDS, text_answer, tool_answer
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

    @pytest.mark.parametrize("reason", ["stop", "length", "content_filter", "a_reason_of_tomorrow"])
    def test_answer_has_its_finish_reason(self, reason: str, ask: Asking, upstream: Upstream) -> None:
        """Why the answer ends is the vendor's word, also when nobody knows it."""
        body = text_answer()
        body["choices"][0]["finish_reason"] = reason
        assert self.answered(ask, upstream, body)["choices"][0]["finish_reason"] == reason

    def test_answer_names_the_model(self, ask: Asking, upstream: Upstream) -> None:
        """The model is the one that the vendor says has answered, not the one that was asked."""
        assert self.answered(ask, upstream, text_answer(model="test-model-2026-11-21"))["model"] == "test-model-2026-11-21"

    def test_answer_keeps_unknown_fields(self, ask: Asking, upstream: Upstream) -> None:
        """Fields that nobody knows reach the caller, at every depth."""
        body = text_answer(of_the_vendor={"n": 0})
        body["choices"][0]["message"]["of_the_message"] = [None]
        body["choices"][0]["of_the_choice"] = ""
        body["usage"]["of_the_usage"] = {"cached": 3}
        got = self.answered(ask, upstream, body)
        choice = got["choices"][0]
        kept = (got, choice["message"], choice, got["usage"])
        names = ("of_the_vendor", "of_the_message", "of_the_choice", "of_the_usage")
        assert [part.get(name, "lost") for part, name in zip(kept, names, strict=True)] == [{"n": 0}, [None], "", {"cached": 3}]

    def test_every_choice_comes_back(self, ask: Asking, upstream: Upstream) -> None:
        """When the vendor gives several choices, the caller gets them all."""
        body = text_answer()
        body["choices"] = [{**body["choices"][0], "index": n} for n in range(3)]
        assert [choice["index"] for choice in self.answered(ask, upstream, body)["choices"]] == [0, 1, 2]

    def test_tool_calls_come_back(self, ask: Asking, upstream: Upstream) -> None:
        """Tool calls have their IDs, names and arguments; arguments are JSON as text."""
        self.require("supports_tools")
        choice = self.answered(ask, upstream, tool_answer())["choices"][0]
        call = choice["message"]["tool_calls"][0]
        assert (call["id"], call["type"], call["function"]) == (CALLS[0]["id"], "function", CALLS[0]["function"])
        assert choice["finish_reason"] == "tool_calls"

    def test_parallel_tool_calls_come_back(self, ask: Asking, upstream: Upstream) -> None:
        """All calls of one answer come back, in order, one without arguments among them."""
        self.require("supports_tools")
        self.require("supports_parallel_tool_calls")
        calls = self.answered(ask, upstream, tool_answer())["choices"][0]["message"]["tool_calls"]
        assert [(call["id"], call["function"]["arguments"]) for call in calls] == [
            (call["id"], call["function"]["arguments"]) for call in CALLS
        ]

    def test_headers_come_back(self, ask: Asking, upstream: Upstream) -> None:
        """Response headers reach the caller, their names in lower case."""
        self.say(upstream, text_answer(), **{"X-Request-Id": "req-test"})
        assert ask.answer().headers.get("x-request-id") == "req-test"

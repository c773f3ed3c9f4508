"""Tests of conversations from other formats."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from modelmesh.contracts import FailureClass
from modelmesh.errors import ProviderError
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_cdk.testing.callers import MODEL, Caller
from modelmesh_cdk.testing.dialects.samples import text_answer
from modelmesh_cdk.testing.histories import HISTORIES, History
from modelmesh_cdk.testing.provider.subject import Subject
from modelmesh_cdk.testing.upstream import Script, Upstream
from modelmesh_cdk.wire.request import WireRequest

NOT_SENT = (FailureClass.CAPABILITY, FailureClass.CALLER)


class Conversations(Subject):
    """A conversation of any origin is sent in a form that the vendor accepts, or rejected before it is sent."""

    def test_conversation_obeys_message_rules(self, asker: Caller, upstream: Upstream) -> None:
        """No request breaks a message rule of the connector. A conversation that the vendor supports is sent."""
        broken = {}
        for history in HISTORIES:
            question = self.sent(history, asker, upstream)
            if question is not None:
                broken[history.name] = self.wire.violations(question, self.rules_of(asker))
        assert {name: lines for name, lines in broken.items() if lines} == {}

    def test_conversation_texts_arrive(self, asker: Caller, upstream: Upstream) -> None:
        """Every text of a conversation reaches the vendor."""
        lost = {}
        for history in HISTORIES:
            question = self.sent(history, asker, upstream)
            if question is not None:
                sent_text = json.dumps(question["messages"], ensure_ascii=False)
                lost[history.name] = [word for word in _words("say", history.messages) if word not in sent_text]
        assert {name: words for name, words in lost.items() if words} == {}

    def test_conversation_losses_are_noted(self, asker: Caller, upstream: Upstream) -> None:
        """A key of a message that does not reach the vendor is in the adaptation notes."""
        silent = {}
        for history in HISTORIES:
            question = self.sent(history, asker, upstream)
            if question is not None:
                sent_text = json.dumps(question["messages"], ensure_ascii=False)
                lost = [word for word in _words("own", history.messages) if word not in sent_text]
                silent[history.name] = lost if lost and not asker.adapted else []
        assert {name: words for name, words in silent.items() if words} == {}

    def test_conversation_of_caller_is_not_changed(self, asker: Caller, upstream: Upstream) -> None:
        """The connector does not modify the caller's messages."""
        for history in HISTORIES:
            self.sent(history, asker, upstream)
            assert asker.call.payload == asker.sent, history.name

    def test_conversation_neutral_values_are_no_loss(self, asker: Caller, upstream: Upstream) -> None:
        """Dropping a value without effect, such as an empty list or ``n=1``, is not a loss. A strict request is sent."""
        for history in (one for one in HISTORIES if one.has_no_effect):
            upstream.always(Script(200, self.wire.write_response(text_answer())))
            asker.strict = True
            try:
                answer = asker.answer({"messages": deepcopy(list(history.messages)), **deepcopy(dict(history.parameters))})
            except ProviderError as error:
                pytest.fail(f"{history.name}: {error}")
            lost = [line for line in answer.adapted if not (self.wire.required_parameters and " added" in line)]
            assert lost == [], history.name

    def test_message_rules_have_sources(self) -> None:
        """Each message rule has a source and the date on which it was read."""
        rules = getattr(self.provider_class, "message_rules", None)
        if rules is not None:
            assert rules.rules_without_source() == []
            days = {name: source.read for name, source in rules.sources.items()}
            assert [name for name, day in days.items() if not re.fullmatch(r"\d{4}-\d\d-\d\d", day)] == []

    @pytest.fixture
    def asker(self, upstream: Upstream) -> Iterator[Caller]:
        """A caller from a thread. The request is encoded in the same way for a task."""
        if getattr(self.provider_class, "message_rules", None) is None:
            pytest.skip(f"{self.provider_class.__name__} states no message_rules")
        with Caller(self.make(upstream), in_task=False) as asking:
            yield asking

    # -- helpers of the tests -----------------------------------------------------------------------------------------

    def rules_of(self, ask: Caller) -> MessageRules | None:
        """Return the message rules for the latest request, or ``None`` if the connector has none."""
        hook = getattr(ask.provider, "_message_rules", None)
        return None if hook is None else hook(WireRequest(ask.call, MODEL))

    def sent(self, history: History, ask: Caller, upstream: Upstream) -> dict[str, Any] | None:
        """Send a conversation. Return the request that the vendor received, or ``None`` if it was rejected before it was sent."""
        if history.parameters.get("tools") and not self.supports_tools:
            return None
        before, refused = len(upstream.received), None
        upstream.always(Script(200, self.wire.write_response(text_answer())))
        try:
            answer = ask.answer({"messages": deepcopy(list(history.messages)), **deepcopy(dict(history.parameters))})
        except ProviderError as error:
            refused = error
        if refused is None:
            ask.adapted = tuple(answer.adapted)
            return self.wire.read_chat(upstream.last)
        assert len(upstream.received) == before, f"{history.name}: the request was sent, and {refused}"
        assert refused.failure in NOT_SENT, f"{history.name}: {refused}"
        assert history.may_refuse, f"{history.name}: {refused}"
        return None


def _words(kind: str, value: Any) -> list[str]:
    return list(dict.fromkeys(_found(kind, value)))


def _found(kind: str, value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from re.findall(rf"\b{kind}-\w+", value)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _found(kind, one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _found(kind, one)

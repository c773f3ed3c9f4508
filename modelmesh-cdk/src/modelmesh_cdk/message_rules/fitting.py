"""The one function that makes a request obey a vendor's rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from modelmesh_cdk.message_rules.blocks import without_foreign_blocks
from modelmesh_cdk.message_rules.calls import as_text, spelled, with_proper_calls
from modelmesh_cdk.message_rules.content import with_accepted_parts, with_proper_blanks
from modelmesh_cdk.message_rules.fields import (
    with_accepted_keys,
    with_accepted_roles,
    with_refusals_as_text,
    without_functions,
)
from modelmesh_cdk.message_rules.notes import Notes
from modelmesh_cdk.message_rules.order import in_order
from modelmesh_cdk.message_rules.pairing import paired
from modelmesh_cdk.message_rules.parameters import with_accepted_parameters
from modelmesh_cdk.message_rules.plain import is_plain
from modelmesh_cdk.message_rules.rules import MessageRules
from modelmesh_cdk.message_rules.shapes import in_openai_shape
from modelmesh_cdk.message_rules.turns import Turn


@frozen
class Fitted:
    """A request that obeys the rules.

    Attributes:
        payload: The parameters, ``messages`` among them.
        notes: What was changed, one line for each kind of change; what says nothing is left out without a note.
    """

    payload: dict[str, Any]
    notes: Sequence[str]


def fit(payload: Mapping[str, Any], rules: MessageRules) -> Fitted:
    """Return a chat request as a vendor accepts it.

    Args:
        payload: Parameters in OpenAI's shape; neither it nor anything within it is changed.
        rules: The vendor's rules.

    Raises:
        ProviderError: The vendor cannot be sent this conversation; the class is ``capability``, so another one is tried.
    """
    notes = Notes(rules.vendor)
    found = with_accepted_parameters(payload, rules, notes)
    messages = payload.get("messages")
    if isinstance(messages, (list, tuple)) and all(isinstance(one, Mapping) for one in messages):
        found["messages"] = fit_messages(messages, rules, notes)
    return Fitted(found, notes.lines())


def fit_messages(messages: Sequence[Any], rules: MessageRules, notes: Notes) -> list[Any]:
    """Return a conversation as a vendor accepts it.

    Args:
        messages: Messages in OpenAI's shape or in one of :mod:`modelmesh_cdk.message_rules.shapes`; they are not changed.
        rules: The vendor's rules.
        notes: Takes a note for each change.

    Raises:
        ProviderError: The vendor cannot be sent this conversation.
    """
    if is_plain(messages, rules):
        return list(messages)
    turns = [Turn(one, f"messages[{place}]") for place, one in enumerate(messages)]
    turns = in_openai_shape(turns, notes)
    without_functions(turns, rules, notes)
    turns = without_foreign_blocks(turns, notes, rules.parts)
    with_accepted_roles(turns, rules, notes)
    with_refusals_as_text(turns, rules)
    with_proper_calls(turns, rules, notes)
    with_accepted_keys(turns, rules, notes)
    turns = paired(turns, rules, notes)
    if not rules.tools:
        as_text(turns, notes)
    turns = with_accepted_parts(turns, rules, notes)
    turns = with_proper_blanks(turns, rules, notes)
    if turns == [] != messages:
        notes.add(f"a message {rules.stand_in!r} of the user added: all others are blank")
        turns = [Turn({"role": "user", "content": rules.stand_in}, "")]
    turns = in_order(turns, rules, notes)
    if not turns and messages:
        turns = [Turn({"role": "user", "content": rules.stand_in}, "messages[0]")]
        notes.add(f"a message {rules.stand_in!r} of the user sent in place of blank ones")
    if rules.thoughts is not None:
        _with_thoughts(turns, rules)
    return spelled([turn.said for turn in turns], rules.call_ids, notes)


def _with_thoughts(turns: list[Turn], rules: MessageRules) -> None:
    field = str(rules.thoughts)
    for turn in turns:
        said = turn.said.get(field)
        if turn.role == "assistant" and (not isinstance(said, str) or not said.strip()):
            turn.said[field] = rules.thoughts_stand_in

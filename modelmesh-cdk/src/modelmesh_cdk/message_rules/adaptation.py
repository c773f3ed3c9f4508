"""Adaptation of a chat request to a vendor's rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from modelmesh_cdk.message_rules.blocks import without_foreign_blocks
from modelmesh_cdk.message_rules.calls import as_text, rewrite_ids, with_proper_calls
from modelmesh_cdk.message_rules.content import with_accepted_parts, with_proper_blanks
from modelmesh_cdk.message_rules.drafts import DraftMessage
from modelmesh_cdk.message_rules.fast_path import needs_no_change
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
from modelmesh_cdk.message_rules.rules import MessageRules
from modelmesh_cdk.message_rules.shapes import in_openai_format


@frozen
class AdaptedRequest:
    """A request that obeys the rules.

    Attributes:
        payload: Parameters, including ``messages``.
        notes: One line for each kind of change. Dropping a value without effect has no note.
    """

    payload: dict[str, Any]
    notes: Sequence[str]


def adapt(payload: Mapping[str, Any], rules: MessageRules) -> AdaptedRequest:
    """Return a chat request that the vendor accepts.

    Args:
        payload: Parameters in OpenAI's format, which are not modified.
        rules: The vendor's rules.

    Raises:
        ProviderError: The vendor does not support this conversation. The class ``capability`` lets the mesh try another one.
    """
    notes = Notes(rules.vendor)
    found = with_accepted_parameters(payload, rules, notes)
    messages = payload.get("messages")
    if isinstance(messages, (list, tuple)):
        if needs_no_change(messages, rules):
            found["messages"] = list(messages)
        elif all(isinstance(one, Mapping) for one in messages):
            found["messages"] = adapt_messages(messages, rules, notes)
    return AdaptedRequest(found, notes.lines())


def adapt_messages(messages: Sequence[Any], rules: MessageRules, notes: Notes) -> list[Any]:
    """Return a conversation that the vendor accepts.

    Args:
        messages: Messages in OpenAI's format or in one of :mod:`modelmesh_cdk.message_rules.shapes`, which are not modified.
        rules: The vendor's rules.
        notes: Receives a note for each change.

    Raises:
        ProviderError: The vendor does not support this conversation.
    """
    drafts = [DraftMessage(one, f"messages[{place}]") for place, one in enumerate(messages)]
    drafts = in_openai_format(drafts, notes)
    without_functions(drafts, rules, notes)
    drafts = without_foreign_blocks(drafts, notes, rules.parts)
    with_accepted_roles(drafts, rules, notes)
    with_refusals_as_text(drafts, rules)
    with_proper_calls(drafts, rules, notes)
    with_accepted_keys(drafts, rules, notes)
    drafts = paired(drafts, rules, notes)
    if not rules.tools:
        as_text(drafts, notes)
    drafts = with_accepted_parts(drafts, rules, notes)
    drafts = with_proper_blanks(drafts, rules, notes)
    if drafts == [] != messages:
        notes.add(f"a message {rules.placeholder!r} of the user added: all others are blank")
        drafts = [DraftMessage({"role": "user", "content": rules.placeholder}, "")]
    drafts = in_order(drafts, rules, notes)
    if not drafts and messages:
        drafts = [DraftMessage({"role": "user", "content": rules.placeholder}, "messages[0]")]
        notes.add(f"a message {rules.placeholder!r} of the user sent in place of blank ones")
    if rules.reasoning_field is not None:
        _with_thoughts(drafts, rules)
    return rewrite_ids([draft.fields for draft in drafts], rules.call_ids, notes)


def _with_thoughts(drafts: list[DraftMessage], rules: MessageRules) -> None:
    field = str(rules.reasoning_field)
    for draft in drafts:
        text = draft.fields.get(field)
        if draft.role == "assistant" and (not isinstance(text, str) or not text.strip()):
            draft.fields[field] = rules.reasoning_placeholder

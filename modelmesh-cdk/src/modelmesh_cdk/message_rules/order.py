"""Order of messages: system messages, alternation, bridges, and the first and last message."""

from __future__ import annotations

from typing import Any

from modelmesh_cdk.message_rules.drafts import SYSTEM_ROLES, DraftMessage
from modelmesh_cdk.message_rules.notes import Notes
from modelmesh_cdk.message_rules.rules import LastAssistant, MessageRules, SystemPlace


def in_order(drafts: list[DraftMessage], rules: MessageRules, notes: Notes) -> list[DraftMessage]:
    """Return the conversation in an order that the vendor accepts."""
    drafts = _move_systems_first(drafts, rules, notes)
    if rules.alternating:
        drafts = _join_consecutive(drafts, notes)
    drafts = _add_opening(drafts, rules, notes)
    if rules.bridge is not None:
        drafts = _add_bridges(drafts, rules.bridge, notes)
    return _adapt_last_message(drafts, rules, notes)


def _move_systems_first(drafts: list[DraftMessage], rules: MessageRules, notes: Notes) -> list[DraftMessage]:
    if rules.system is not SystemPlace.ANYWHERE:
        first = next((place for place, draft in enumerate(drafts) if draft.role not in SYSTEM_ROLES), len(drafts))
        late = [draft for draft in drafts[first:] if draft.role in SYSTEM_ROLES]
        for draft in late:
            notes.add("system messages moved to the top", draft.where)
        systems = [*drafts[:first], *late]
        if rules.system is SystemPlace.ONE_FIRST:
            systems = _join_systems(systems, notes)
        drafts = [*systems, *(draft for draft in drafts[first:] if draft.role not in SYSTEM_ROLES)]
    if drafts and not rules.system_alone and all(draft.role in SYSTEM_ROLES for draft in drafts):
        last = drafts[-1]
        last.fields["role"] = "user"
        notes.add(f"the only system message is sent as the user's: {rules.vendor} needs a message of the user", last.where)
    return drafts


def _join_systems(systems: list[DraftMessage], notes: Notes) -> list[DraftMessage]:
    for draft in systems[1:]:
        systems[0].fields["content"] = _join_contents(systems[0].content, draft.content)
        notes.add("system messages joined to one", draft.where)
    return systems[:1]


def _join_consecutive(drafts: list[DraftMessage], notes: Notes) -> list[DraftMessage]:
    found: list[DraftMessage] = []
    for draft in drafts:
        last = found[-1] if found else None
        if last is None or draft.role not in ("user", "assistant") or last.role != draft.role or last.calls:
            found.append(draft)
            continue
        last.fields["content"] = _join_contents(last.content, draft.content)
        if draft.calls:
            last.fields["tool_calls"] = draft.calls
        notes.add(f"consecutive messages of the {draft.role} joined", draft.where)
    return found


def _join_contents(one: Any, other: Any) -> Any:
    if not other or not one:
        return one or other
    if isinstance(one, str) and isinstance(other, str):
        return f"{one}\n\n{other}"
    return [*_parts(one), *_parts(other)]


def _parts(content: Any) -> list[Any]:
    return list(content) if isinstance(content, list) else [{"type": "text", "text": str(content)}]


def _add_opening(drafts: list[DraftMessage], rules: MessageRules, notes: Notes) -> list[DraftMessage]:
    first = next((place for place, draft in enumerate(drafts) if draft.role not in SYSTEM_ROLES), None)
    if rules.opening is None or first is None or drafts[first].role != "assistant":
        return drafts
    notes.add(f"a message {rules.opening!r} of the user added before the first of the assistant", drafts[first].where)
    return [*drafts[:first], DraftMessage({"role": "user", "content": rules.opening}, drafts[first].where), *drafts[first:]]


def _add_bridges(drafts: list[DraftMessage], bridge: str, notes: Notes) -> list[DraftMessage]:
    found: list[DraftMessage] = []
    for draft in drafts:
        if found and found[-1].role == "tool" and draft.role not in ("tool", "assistant"):
            notes.add(f"a message {bridge!r} of the assistant added between a tool result and the next message", draft.where)
            found.append(DraftMessage({"role": "assistant", "content": bridge}, draft.where))
        found.append(draft)
    return found


def _adapt_last_message(drafts: list[DraftMessage], rules: MessageRules, notes: Notes) -> list[DraftMessage]:
    last = drafts[-1] if drafts else None
    for draft in drafts[:-1]:
        if rules.last_assistant is LastAssistant.PREFIX and draft.fields.pop("prefix", None):
            notes.add("prefix left out of a message that is not the last", draft.where)
    if last is None or last.role != "assistant" or last.calls:
        return drafts
    if rules.trims_last_assistant and isinstance(last.content, str) and last.content != last.content.rstrip():
        last.fields["content"] = last.content.rstrip()
        notes.add("white space at the end of the last message left out", last.where)
    if rules.last_assistant is LastAssistant.PREFIX and not last.fields.get("prefix"):
        last.fields["prefix"] = True
        notes.add("the last message, an assistant's, sent with prefix: the answer continues it", last.where)
    elif rules.last_assistant is LastAssistant.ASK_TO_CONTINUE and not last.fields.get("prefix"):
        notes.add(f"a message {rules.continuation!r} of the user added after the last of the assistant", last.where)
        return [*drafts, DraftMessage({"role": "user", "content": rules.continuation}, last.where)]
    return drafts

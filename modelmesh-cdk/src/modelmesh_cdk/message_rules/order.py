"""The order of messages: system messages, alternation, bridges, and what may come first and last."""

from __future__ import annotations

from typing import Any

from modelmesh_cdk.message_rules.notes import Notes
from modelmesh_cdk.message_rules.rules import LastAssistant, MessageRules, SystemPlace
from modelmesh_cdk.message_rules.turns import SYSTEM_ROLES, Turn


def in_order(turns: list[Turn], rules: MessageRules, notes: Notes) -> list[Turn]:
    """Return the conversation in an order that the vendor accepts."""
    turns = _system_first(turns, rules, notes)
    if rules.alternating:
        turns = _alternating(turns, notes)
    turns = _opened(turns, rules, notes)
    if rules.bridge is not None:
        turns = _bridged(turns, rules.bridge, notes)
    return _ended(turns, rules, notes)


def _system_first(turns: list[Turn], rules: MessageRules, notes: Notes) -> list[Turn]:
    if rules.system is not SystemPlace.ANYWHERE:
        first = next((place for place, turn in enumerate(turns) if turn.role not in SYSTEM_ROLES), len(turns))
        late = [turn for turn in turns[first:] if turn.role in SYSTEM_ROLES]
        for turn in late:
            notes.add("system messages moved to the top", turn.where)
        systems = [*turns[:first], *late]
        if rules.system is SystemPlace.ONE_FIRST:
            systems = _one(systems, notes)
        turns = [*systems, *(turn for turn in turns[first:] if turn.role not in SYSTEM_ROLES)]
    if turns and not rules.lone_system and all(turn.role in SYSTEM_ROLES for turn in turns):
        last = turns[-1]
        last.said["role"] = "user"
        notes.add(f"the only system message is sent as the user's: {rules.vendor} needs a message of the user", last.where)
    return turns


def _one(systems: list[Turn], notes: Notes) -> list[Turn]:
    for turn in systems[1:]:
        systems[0].said["content"] = _both(systems[0].content, turn.content)
        notes.add("system messages joined to one", turn.where)
    return systems[:1]


def _alternating(turns: list[Turn], notes: Notes) -> list[Turn]:
    found: list[Turn] = []
    for turn in turns:
        last = found[-1] if found else None
        if last is None or turn.role not in ("user", "assistant") or last.role != turn.role or last.calls:
            found.append(turn)
            continue
        last.said["content"] = _both(last.content, turn.content)
        if turn.calls:
            last.said["tool_calls"] = turn.calls
        notes.add(f"consecutive messages of the {turn.role} joined", turn.where)
    return found


def _both(one: Any, other: Any) -> Any:
    if not other or not one:
        return one or other
    if isinstance(one, str) and isinstance(other, str):
        return f"{one}\n\n{other}"
    return [*_parts(one), *_parts(other)]


def _parts(content: Any) -> list[Any]:
    return list(content) if isinstance(content, list) else [{"type": "text", "text": str(content)}]


def _opened(turns: list[Turn], rules: MessageRules, notes: Notes) -> list[Turn]:
    first = next((place for place, turn in enumerate(turns) if turn.role not in SYSTEM_ROLES), None)
    if rules.opening is None or first is None or turns[first].role != "assistant":
        return turns
    notes.add(f"a message {rules.opening!r} of the user added before the first of the assistant", turns[first].where)
    return [*turns[:first], Turn({"role": "user", "content": rules.opening}, turns[first].where), *turns[first:]]


def _bridged(turns: list[Turn], bridge: str, notes: Notes) -> list[Turn]:
    found: list[Turn] = []
    for turn in turns:
        if found and found[-1].role == "tool" and turn.role not in ("tool", "assistant"):
            notes.add(f"a message {bridge!r} of the assistant added between a tool result and the next message", turn.where)
            found.append(Turn({"role": "assistant", "content": bridge}, turn.where))
        found.append(turn)
    return found


def _ended(turns: list[Turn], rules: MessageRules, notes: Notes) -> list[Turn]:
    last = turns[-1] if turns else None
    for turn in turns[:-1]:
        if rules.last_assistant is LastAssistant.PREFIX and turn.said.pop("prefix", None):
            notes.add("prefix left out of a message that is not the last", turn.where)
    if last is None or last.role != "assistant" or last.calls:
        return turns
    if rules.trims_last_assistant and isinstance(last.content, str) and last.content != last.content.rstrip():
        last.said["content"] = last.content.rstrip()
        notes.add("white space at the end of the last message left out", last.where)
    if rules.last_assistant is LastAssistant.PREFIX and not last.said.get("prefix"):
        last.said["prefix"] = True
        notes.add("the last message, an assistant's, sent with prefix: the answer continues it", last.where)
    elif rules.last_assistant is LastAssistant.ASK_TO_CONTINUE and not last.said.get("prefix"):
        notes.add(f"a message {rules.continuation!r} of the user added after the last of the assistant", last.where)
        return [*turns, Turn({"role": "user", "content": rules.continuation}, last.where)]
    return turns

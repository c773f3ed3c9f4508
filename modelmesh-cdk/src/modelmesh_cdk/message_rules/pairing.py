"""Pairing of tool calls and results: each result directly follows its call, and neither occurs alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from modelmesh_cdk.message_rules.calls import add_heading
from modelmesh_cdk.message_rules.drafts import DraftMessage
from modelmesh_cdk.message_rules.notes import Notes
from modelmesh_cdk.message_rules.rules import MessageRules


@frozen
class _OpenCall:
    """A call that may have a result: its place, its ID, its original ID, and its tool."""

    place: int
    number: int
    id: str
    given: Any
    name: Any


def paired(drafts: list[DraftMessage], rules: MessageRules, notes: Notes) -> list[DraftMessage]:
    """Return the conversation with each result directly after its call, and without unpaired ones."""
    if not any(draft.calls or draft.role == "tool" for draft in drafts):
        return drafts
    calls = _number_calls(drafts, notes)
    if not rules.paired:
        return drafts
    owners = _owners(drafts, calls, notes)
    found: list[DraftMessage] = []
    for place, draft in enumerate(drafts):
        if draft.role == "tool":
            if place not in owners:
                found.append(_as_user(draft, notes))
            continue
        found.append(draft)
        found += _results(drafts, place, owners, rules, notes)
    return found


def _number_calls(drafts: list[DraftMessage], notes: Notes) -> list[_OpenCall]:
    """Give each call an ID that is unique within its message, and return all calls."""
    found = []
    for place, draft in enumerate(drafts):
        seen: set[str] = set()
        for number, call in enumerate(draft.calls):
            if not isinstance(call, Mapping):
                continue
            given = call.get("id")
            made = str(given) if isinstance(given, (str, int)) and given != "" else f"call_{place}_{number}"
            if made in seen:
                made = f"{made}_{number}"
            seen.add(made)
            if made != given:
                draft.fields["tool_calls"][number] = {**call, "id": made}
                if not isinstance(given, int):
                    notes.add("IDs given to tool calls that have none of their own", draft.where)
            function = call.get("function")
            name = function.get("name") if isinstance(function, Mapping) else None
            found.append(_OpenCall(place, number, made, given, name))
    return found


def _owners(drafts: list[DraftMessage], calls: list[_OpenCall], notes: Notes) -> dict[int, tuple[int, int]]:
    """Return the call that each result answers: from the result's place to the message's place and the call's number."""
    waiting: list[_OpenCall] = []
    owners: dict[int, tuple[int, int]] = {}
    for place, draft in enumerate(drafts):
        waiting += [call for call in calls if call.place == place]
        if draft.role != "tool":
            continue
        wanted = draft.fields.get("tool_call_id")
        call = _match(waiting, wanted, draft.fields.get("name"))
        if call is None:
            continue
        waiting.remove(call)
        owners[place] = (call.place, call.number)
        if wanted != call.id:
            draft.fields["tool_call_id"] = call.id
            if not isinstance(wanted, int):
                notes.add("IDs of tool results set to those of their calls", draft.where)
    return owners


def _match(waiting: list[_OpenCall], wanted: Any, name: Any) -> _OpenCall | None:
    """Return the call that a result answers: by ID in the latest message that has it, else by name or order."""
    if wanted is not None and wanted != "":
        waiting = [call for call in waiting if str(wanted) in (call.id, str(call.given))]
    latest = [call for call in waiting if call.place == waiting[-1].place]
    exact = next((call for call in latest if call.id == str(wanted)), None)
    named = next((call for call in latest if name and call.name == name), None)
    return exact or named or (latest[0] if latest else None)


def _results(
    drafts: list[DraftMessage], place: int, owners: dict[int, tuple[int, int]], rules: MessageRules, notes: Notes
) -> list[DraftMessage]:
    calls = drafts[place].calls
    if not calls:
        return []
    answered = {owner[1]: result for result, owner in owners.items() if owner[0] == place}
    found = []
    in_place: set[int] = set()
    while place + 1 + len(in_place) < len(drafts) and drafts[place + 1 + len(in_place)].role == "tool":
        in_place.add(place + 1 + len(in_place))
    for number, call in enumerate(calls):
        if number in answered:
            result = drafts[answered[number]]
            if answered[number] not in in_place:
                notes.add("tool results moved to their calls", result.where)
            found.append((answered[number], result))
        elif isinstance(call, Mapping):
            fields = {"role": "tool", "tool_call_id": call["id"], "content": rules.missing_result}
            found.append((len(drafts) + number, DraftMessage(fields, drafts[place].where)))
            notes.add("a result added to tool calls that have none", drafts[place].where)
    return [result for _, result in sorted(found, key=lambda one: one[0])]


def _as_user(draft: DraftMessage, notes: Notes) -> DraftMessage:
    name = draft.fields.get("name") or draft.fields.get("tool_call_id") or "a tool"
    notes.add("tool results without a call sent as messages of the user", draft.where)
    return DraftMessage({"role": "user", "content": add_heading(f"Result of {name}: ", draft.content)}, draft.where)

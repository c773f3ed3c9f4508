"""Which result belongs to which tool call: each stands right after its call, and none is without the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from modelmesh_cdk.message_rules.calls import headed
from modelmesh_cdk.message_rules.notes import Notes
from modelmesh_cdk.message_rules.rules import MessageRules
from modelmesh_cdk.message_rules.turns import Turn


@frozen
class _OpenCall:
    """A call that may have a result: where it stands, its ID, the ID that it came with, and its tool."""

    place: int
    number: int
    id: str
    given: Any
    name: Any


def paired(turns: list[Turn], rules: MessageRules, notes: Notes) -> list[Turn]:
    """Return the conversation with each result right after its call, and none without the other."""
    if not any(turn.calls or turn.role == "tool" for turn in turns):
        return turns
    calls = _number_calls(turns, notes)
    if not rules.paired:
        return turns
    owners = _owners(turns, calls, notes)
    found: list[Turn] = []
    for place, turn in enumerate(turns):
        if turn.role == "tool":
            if place not in owners:
                found.append(_as_user(turn, notes))
            continue
        found.append(turn)
        found += _results(turns, place, owners, rules, notes)
    return found


def _number_calls(turns: list[Turn], notes: Notes) -> list[_OpenCall]:
    """Give each call an ID that no other call of the same message has; return all calls."""
    found = []
    for place, turn in enumerate(turns):
        seen: set[str] = set()
        for number, call in enumerate(turn.calls):
            if not isinstance(call, Mapping):
                continue
            given = call.get("id")
            made = str(given) if isinstance(given, (str, int)) and given != "" else f"call_{place}_{number}"
            if made in seen:
                made = f"{made}_{number}"
            seen.add(made)
            if made != given:
                turn.said["tool_calls"][number] = {**call, "id": made}
                if not isinstance(given, int):
                    notes.add("IDs given to tool calls that have none of their own", turn.where)
            function = call.get("function")
            name = function.get("name") if isinstance(function, Mapping) else None
            found.append(_OpenCall(place, number, made, given, name))
    return found


def _owners(turns: list[Turn], calls: list[_OpenCall], notes: Notes) -> dict[int, tuple[int, int]]:
    """Return which call each result answers: place of the result to place of the message and number of the call."""
    waiting: list[_OpenCall] = []
    owners: dict[int, tuple[int, int]] = {}
    for place, turn in enumerate(turns):
        waiting += [call for call in calls if call.place == place]
        if turn.role != "tool":
            continue
        wanted = turn.said.get("tool_call_id")
        call = _match(waiting, wanted, turn.said.get("name"))
        if call is None:
            continue
        waiting.remove(call)
        owners[place] = (call.place, call.number)
        if wanted != call.id:
            turn.said["tool_call_id"] = call.id
            if not isinstance(wanted, int):
                notes.add("IDs of tool results set to those of their calls", turn.where)
    return owners


def _match(waiting: list[_OpenCall], wanted: Any, name: Any) -> _OpenCall | None:
    """Return the call that a result answers: by its ID, in the latest message that has one; without an ID by name or order."""
    if wanted is not None and wanted != "":
        waiting = [call for call in waiting if str(wanted) in (call.id, str(call.given))]
    latest = [call for call in waiting if call.place == waiting[-1].place]
    exact = next((call for call in latest if call.id == str(wanted)), None)
    named = next((call for call in latest if name and call.name == name), None)
    return exact or named or (latest[0] if latest else None)


def _results(turns: list[Turn], place: int, owners: dict[int, tuple[int, int]], rules: MessageRules, notes: Notes) -> list[Turn]:
    calls = turns[place].calls
    if not calls:
        return []
    answered = {owner[1]: result for result, owner in owners.items() if owner[0] == place}
    found = []
    in_place: set[int] = set()
    while place + 1 + len(in_place) < len(turns) and turns[place + 1 + len(in_place)].role == "tool":
        in_place.add(place + 1 + len(in_place))
    for number, call in enumerate(calls):
        if number in answered:
            result = turns[answered[number]]
            if answered[number] not in in_place:
                notes.add("tool results moved to their calls", result.where)
            found.append((answered[number], result))
        elif isinstance(call, Mapping):
            said = {"role": "tool", "tool_call_id": call["id"], "content": rules.missing_result}
            found.append((len(turns) + number, Turn(said, turns[place].where)))
            notes.add("a result added to tool calls that have none", turns[place].where)
    return [result for _, result in sorted(found, key=lambda one: one[0])]


def _as_user(turn: Turn, notes: Notes) -> Turn:
    name = turn.said.get("name") or turn.said.get("tool_call_id") or "a tool"
    notes.add("tool results without a call sent as messages of the user", turn.where)
    return Turn({"role": "user", "content": headed(f"Result of {name}: ", turn.content)}, turn.where)

"""Tool calls and their results: shape, arguments, IDs, and which result belongs to which call."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from modelmesh_cdk.call_ids import digest, respelled
from modelmesh_cdk.message_rules.fields import as_json_object
from modelmesh_cdk.message_rules.notes import Notes
from modelmesh_cdk.message_rules.rules import Arguments, CallIds, MessageRules
from modelmesh_cdk.message_rules.turns import Turn, invalid


@frozen
class _OpenCall:
    """A call that may have a result: where it stands, its ID, the ID that it came with, and its tool."""

    place: int
    number: int
    id: str
    given: Any
    name: Any


_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def with_proper_calls(turns: list[Turn], rules: MessageRules, notes: Notes) -> None:
    """Write each tool call in OpenAI's shape, with arguments as the vendor needs them.

    Raises:
        ProviderError: A message holds what is no tool call.
    """
    for turn in turns:
        given = turn.said.get("tool_calls")
        if isinstance(given, Mapping) and given and turn.role == "assistant":
            turn.said["tool_calls"] = given = [given]
        for call in given if isinstance(given, list) else [given] if given else ():
            if not isinstance(call, Mapping):
                message = f"{turn.where}.tool_calls holds {type(call).__name__}, not the call of a tool. Give calls as they came."
                raise invalid(message)
        if turn.calls:
            turn.said["tool_calls"] = [_call(call, rules, notes, turn.where) for call in turn.calls]


def _call(call: Any, rules: MessageRules, notes: Notes, where: str) -> Any:
    if not isinstance(call, Mapping):
        return call
    made = dict(call)
    function = made.get("function")
    if not isinstance(function, Mapping):
        if made.get("type") == "custom" or "name" not in made:
            return made
        function = {"name": made.pop("name"), "arguments": made.pop("args", made.pop("arguments", None))}  # as LangChain has it
        made["type"] = "function"
    made.setdefault("type", "function")
    function = dict(function)
    name, arguments = function.get("name"), function.get("arguments")
    if rules.arguments is Arguments.JSON_OBJECT:
        function["arguments"], wrapped = as_json_object(arguments)
        if wrapped:
            notes.add("arguments of tool calls that are no JSON object sent within one", where)
    elif not isinstance(arguments, str):
        function["arguments"] = "{}" if arguments is None else json.dumps(arguments, ensure_ascii=False)
    if isinstance(name, str) and not _NAME.fullmatch(name):
        function["name"] = re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] or "_"
        notes.add("names of called tools respelled in letters, digits, _ and -", where)
    made["function"] = function
    return made


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


def as_text(turns: list[Turn], notes: Notes) -> None:
    """Write tool calls and their results as text, for a vendor that has neither."""
    for turn in turns:
        if turn.role == "tool":
            name = turn.said.get("name") or turn.said.get("tool_call_id") or "a tool"
            turn.said = {"role": "user", "content": _headed(f"Result of {name}: ", turn.content)}
        elif turn.calls:
            said = [f"Called {_told(call)}." for call in turn.said.pop("tool_calls")]
            content = turn.content
            if isinstance(content, list):
                turn.said["content"] = [*content, {"type": "text", "text": "\n".join(said)}]
            else:
                turn.said["content"] = "\n".join([content, *said] if content else said)
        else:
            continue
        notes.add(f"tool calls and results sent as text: {notes.vendor} has no tools", turn.where)


def _told(call: Any) -> str:
    function = call.get("function") if isinstance(call, Mapping) else None
    inner = function if isinstance(function, Mapping) else {}
    return f"{inner.get('name') or 'a tool'}({inner.get('arguments') or ''})"


def _headed(head: str, content: Any) -> Any:
    return [{"type": "text", "text": head}, *content] if isinstance(content, list) else f"{head}{content or ''}"


def _as_user(turn: Turn, notes: Notes) -> Turn:
    name = turn.said.get("name") or turn.said.get("tool_call_id") or "a tool"
    notes.add("tool results without a call sent as messages of the user", turn.where)
    return Turn({"role": "user", "content": _headed(f"Result of {name}: ", turn.content)}, turn.where)


def spelled(messages: list[Any], ids: CallIds | None, notes: Notes) -> list[Any]:
    """Return the messages with IDs of tool calls as the vendor spells them, alike in call and result."""
    if ids is None:
        return messages
    made: list[str] = []
    pattern = re.compile(ids.pattern)

    def spell(given: str) -> str:
        return given if pattern.fullmatch(given) else ids.prefix + digest(given, ids.length)

    found: list[Any] = respelled(messages, spell, made, ids.note)
    for note in made:
        notes.add(note)
    return found

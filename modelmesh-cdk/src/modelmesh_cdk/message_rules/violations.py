"""Check of a finished request against a vendor's rules.

The check is independent of the code that applies the rules, so that it finds mistakes in that code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from modelmesh_cdk.message_rules.rules import Arguments, Blank, ContentWithCalls, LastAssistant, MessageRules, SystemPlace

_SYSTEM = ("system", "developer")


def find_violations(body: Mapping[str, Any], rules: MessageRules) -> list[str]:
    """Return the rules that a chat request in OpenAI's format breaks, one line each. A valid request has an empty list."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return ["messages is not a list with a message in it"]
    found = [
        line
        for place, one in enumerate(messages)
        for line in _message(one, f"messages[{place}]", place == len(messages) - 1, rules)
    ]
    if found and any("is not an object" in line for line in found):
        return found
    return [*found, *_order(messages, rules), *_pairs(messages, rules), *_parameters(body, rules)]


def _message(fields: Any, where: str, last: bool, rules: MessageRules) -> Iterator[str]:  # noqa: FBT001 - private
    if not isinstance(fields, Mapping):
        yield f"{where} is not an object"
        return
    role = fields.get("role")
    if not isinstance(role, str) or role in rules.replaced_roles or (rules.roles is not None and role not in rules.roles):
        yield f"{where}: role {role!r}"
    yield from _keys(fields, where, rules)
    if rules.names and isinstance(fields.get("name"), str) and not re.fullmatch(f"[{rules.names}]{{1,64}}", fields["name"]):
        yield f"{where}: name {fields['name']!r}"
    if rules.reasoning_field and role == "assistant" and not isinstance(fields.get(rules.reasoning_field), str):
        yield f"{where}: no {rules.reasoning_field}"
    calls = fields.get("tool_calls")
    if "tool_calls" in fields and (not isinstance(calls, list) or not calls):
        yield f"{where}: tool_calls is {calls!r}"
    for number, call in enumerate(calls if isinstance(calls, list) else ()):
        yield from _call(call, f"{where}.tool_calls[{number}]", rules)
    if role == "tool" and rules.call_ids and not re.fullmatch(rules.call_ids.pattern, str(fields.get("tool_call_id"))):
        yield f"{where}: tool_call_id {fields.get('tool_call_id')!r}"
    yield from _content(fields, where, bool(calls) or bool(fields.get("function_call")), rules)
    if (
        rules.trims_last_assistant
        and last
        and role == "assistant"
        and str(fields.get("content") or "") != str(fields["content"]).rstrip()
    ):
        yield f"{where}: white space at the end"


def _keys(fields: Mapping[str, Any], where: str, rules: MessageRules) -> Iterator[str]:
    role = fields.get("role")
    accepted = (rules.keys or {}).get(str(role), ("role", "content"))
    if rules.keys is not None and (extra := sorted(set(fields) - set(accepted) - {"role", "content"})):
        yield f"{where}: keys {extra}"
    if not rules.tools and (role == "tool" or "tool_calls" in fields):
        yield f"{where}: a tool call or result"
    if not rules.functions and (role == "function" or "function_call" in fields):
        yield f"{where}: a function before tools"


def _content(fields: Mapping[str, Any], where: str, calls: bool, rules: MessageRules) -> Iterator[str]:  # noqa: FBT001 - private
    role, content = fields.get("role"), fields.get("content")
    if content is None:
        yield from _no_content(fields, where, calls, rules)
        return
    if content == []:
        yield f"{where}: an empty list of parts"
    if calls and rules.content_with_calls is ContentWithCalls.NULL and isinstance(content, str) and not content.strip():
        yield f"{where}: blank text next to tool calls"
    kind = "system" if role in _SYSTEM else str(role)
    refused = rules.blank.get(kind, Blank.KEEP) is not Blank.KEEP
    if isinstance(content, str):
        if refused and not calls and not content.strip():
            yield f"{where}: blank text"
        return
    if not isinstance(content, list):
        yield f"{where}: content of type {type(content).__name__}"
        return
    if role in rules.joined_text_roles and all(isinstance(part, Mapping) and part.get("type") == "text" for part in content):
        yield f"{where}: texts in parts in the role {role}"
    if role in rules.text_only_roles:
        yield f"{where}: a list of parts in the role {role}"
    for place, part in enumerate(content):
        yield from _part(part, f"{where}.content[{place}]", str(role), len(content) > 1, rules)


def _no_content(fields: Mapping[str, Any], where: str, calls: bool, rules: MessageRules) -> Iterator[str]:  # noqa: FBT001
    says = calls or any(fields.get(name) for name in ("refusal", "audio"))
    if fields.get("role") != "assistant" or (not says and not rules.null_content):
        yield f"{where}: no content"
    elif calls and rules.content_with_calls is ContentWithCalls.EMPTY:
        yield f"{where}: null content next to tool calls"


def _part(part: Any, where: str, role: str, several: bool, rules: MessageRules) -> Iterator[str]:  # noqa: FBT001 - private
    if not isinstance(part, Mapping):
        yield f"{where} is not an object"
        return
    kind = part.get("type")
    accepted = rules.accepted_parts(role)
    if kind in rules.refused_parts or (accepted is not None and kind not in accepted):
        yield f"{where}: type {kind!r} in the role {role}"
    keys = rules.part_keys.get(str(kind))
    if keys is not None and (extra := sorted(set(part) - set(keys))):
        yield f"{where}: keys {extra}"
    if kind == "text":
        if not isinstance(part.get("text"), str):
            yield f"{where}: text of type {type(part.get('text')).__name__}"
        elif several and rules.blank.get("part", Blank.KEEP) is not Blank.KEEP and not part["text"].strip():
            yield f"{where}: blank text"
    if kind == "image_url":
        yield from _image(part.get("image_url"), where, rules)


def _image(image: Any, where: str, rules: MessageRules) -> Iterator[str]:
    url = image.get("url") if isinstance(image, Mapping) else image
    if not isinstance(url, str):
        yield f"{where}: no URL"
    elif not url.startswith("data:"):
        if not rules.remote_images:
            yield f"{where}: an image at an address"
    elif rules.images is not None and re.split("[;,]", url[5:])[0] not in rules.images:
        yield f"{where}: an image of {re.split('[;,]', url[5:])[0]!r}"


def _call(call: Any, where: str, rules: MessageRules) -> Iterator[str]:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping):
        if not isinstance(call, Mapping) or call.get("type") != "custom" or not rules.custom_calls:
            yield f"{where} is not the call of a function"
        return
    if not isinstance(call.get("id"), str) or not call["id"]:
        yield f"{where}: id {call.get('id')!r}"
    elif rules.call_ids and not re.fullmatch(rules.call_ids.pattern, call["id"]):
        yield f"{where}: id {call['id']!r}"
    if rules.call_keys is not None and (extra := sorted(set(call) - set(rules.call_keys))):
        yield f"{where}: keys {extra}"
    name, arguments = function.get("name"), function.get("arguments")
    if not isinstance(name, str) or not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
        yield f"{where}: name {name!r}"
    if not isinstance(arguments, str):
        yield f"{where}: arguments of type {type(arguments).__name__}"
    elif rules.arguments is Arguments.JSON_OBJECT and not _is_object(arguments):
        yield f"{where}: arguments are not a JSON object"


def _is_object(text: str) -> bool:
    try:
        odd: list[str] = []
        return isinstance(json.loads(text, parse_constant=odd.append), dict) and not odd
    except ValueError:
        return False


def _order(messages: Sequence[Mapping[str, Any]], rules: MessageRules) -> Iterator[str]:
    roles = [one.get("role") for one in messages]
    talk = [role for role in roles if role not in _SYSTEM]
    if rules.system is SystemPlace.ONE_FIRST and len(roles) - len(talk) > 1:
        yield "several system messages"
    if rules.system is not SystemPlace.ANYWHERE and any(role in _SYSTEM for role in roles[len(roles) - len(talk) :]):
        yield "a system message after others"
    if not rules.system_alone and not talk:
        yield "only system messages"
    if rules.opening is not None and talk and talk[0] == "assistant":
        yield "the assistant begins"
    for place, (one, other) in enumerate(pairwise(roles)):
        if rules.bridge is not None and one == "tool" and other not in ("tool", "assistant"):
            yield f"messages[{place + 1}]: role {other!r} after 'tool'"
        if rules.alternating and one == other and one in ("user", "assistant"):
            yield f"messages[{place + 1}]: role {other!r} twice"
        if rules.last_assistant is LastAssistant.PREFIX and messages[place].get("prefix"):
            yield f"messages[{place}]: prefix before the last message"
    if roles[-1] == "assistant" and rules.last_assistant is not LastAssistant.KEEP and not messages[-1].get("prefix"):
        yield "the assistant is last"


def _pairs(messages: Sequence[Mapping[str, Any]], rules: MessageRules) -> Iterator[str]:
    if not rules.paired:
        return
    waiting: list[Any] = []
    for place, fields in enumerate(messages):
        if fields.get("role") == "tool":
            if fields.get("tool_call_id") in waiting:
                waiting.remove(fields.get("tool_call_id"))
            else:
                yield f"messages[{place}]: a result without its call"
            continue
        if waiting:
            yield f"messages[{place}]: calls {waiting} without results"
        calls = fields.get("tool_calls")
        waiting = [call.get("id") for call in calls if isinstance(call, Mapping)] if isinstance(calls, list) else []
        if len(set(map(str, waiting))) < len(waiting):
            yield f"messages[{place}]: two calls with one ID"
    if waiting:
        yield f"the last calls {waiting} without results"


def _parameters(body: Mapping[str, Any], rules: MessageRules) -> Iterator[str]:
    for name in ("tools", "functions", "stop"):
        if body.get(name, ()) in ([], None):
            yield f"{name} is {body[name]!r}"
    if "tool_choice" in body and not body.get("tools") and not body.get("functions"):
        yield "tool_choice without tools"
    yield from (f"the parameter {name}" for name in rules.unsupported if name in body)
    if rules.single_choice and (body.get("n") or 1) != 1:
        yield f"n is {body['n']}"
    yield from _stops(body.get("stop"), rules)
    for name, (least, most) in rules.ranges.items():
        value = body.get(name)
        if isinstance(value, (int, float)) and ((least is not None and value < least) or (most is not None and value > most)):
            yield f"{name} is {value}"


def _stops(stop: Any, rules: MessageRules) -> Iterator[str]:
    stops = [stop] if isinstance(stop, str) else stop if isinstance(stop, list) else []
    if any(one == "" or (not rules.accepts_blank_stops and not str(one).strip()) for one in stops):
        yield "a blank stop sequence"
    if rules.max_stop_sequences is not None and len(stops) > rules.max_stop_sequences:
        yield f"{len(stops)} stop sequences"

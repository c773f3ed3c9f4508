"""Content of messages: parts, blank text, and text where a vendor takes no parts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from modelmesh_cdk.message_rules.fields import says_nothing
from modelmesh_cdk.message_rules.media import proper_data_url
from modelmesh_cdk.message_rules.notes import Notes
from modelmesh_cdk.message_rules.rules import Blank, MessageRules, SilentContent
from modelmesh_cdk.message_rules.turns import SYSTEM_ROLES, Turn, is_blank, unsupported

_OF_USERS = ("image_url", "input_audio", "file", "video_url", "document_url", "audio_url")
"""Types of parts that a user's message holds at one vendor or another."""


def with_accepted_parts(turns: list[Turn], rules: MessageRules, notes: Notes) -> list[Turn]:
    """Return the conversation with content parts that the vendor accepts in each role.

    Parts that another role cannot hold and a user's message can, such as images in a tool result or in an answer, follow
    in a message of the user: after all results where there are several.

    Raises:
        ProviderError: The vendor does not accept a part of this type at all.
    """
    found: list[Turn] = []
    moved: list[Any] = []
    for turn in turns:
        if moved and turn.role != "tool":
            found.append(Turn({"role": "user", "content": moved}, found[-1].where))
            moved = []
        content = _as_content(turn, rules, notes)
        if isinstance(content, list):
            parts = []
            for place, part in enumerate(content):
                where = f"{turn.where}.content[{place}]"
                one = _part(part, turn, rules, notes, where)
                if one is None:
                    continue
                if _belongs_to_user(one, turn, rules):
                    notes.add(f"{one['type']} parts of the role {turn.role} sent in a message of the user after it", turn.where)
                    moved.append(one)
                else:
                    parts.append(one)
            turn.said["content"] = parts if parts or not moved else [{"type": "text", "text": "(see the next message)"}]
            _flatten(turn, rules)
        found.append(turn)
    if moved:
        found.append(Turn({"role": "user", "content": moved}, found[-1].where))
    return found


def _as_content(turn: Turn, rules: MessageRules, notes: Notes) -> Any:
    """Return the content as text or parts: other values, as tools return them, become JSON text."""
    content = turn.content
    if content is None or isinstance(content, str):
        return content
    if _is_part(content, rules):
        turn.said["content"] = [content]
    elif not isinstance(content, list) or not all(_is_part(part, rules) for part in content):
        turn.said["content"] = json.dumps(content, ensure_ascii=False, default=str)
        notes.add("content that is neither text nor parts sent as JSON text", turn.where)
    return turn.content


def _is_part(value: Any, rules: MessageRules) -> bool:
    typed = isinstance(value, Mapping) and isinstance(value.get("type"), str)
    return typed or (isinstance(value, Mapping) and any(name in value for name in rules.untyped_parts))


def _belongs_to_user(part: Any, turn: Turn, rules: MessageRules) -> bool:
    kind = part.get("type") if isinstance(part, Mapping) else None
    own, of_users = rules.accepted_parts(str(turn.role)), rules.accepted_parts("user")
    if turn.role == "user" or own is None or kind in own or kind not in _OF_USERS or kind in rules.refused_parts:
        return False
    return of_users is None or kind in of_users


def _part(part: Any, turn: Turn, rules: MessageRules, notes: Notes, where: str) -> Any:
    """Return a part as the vendor accepts it; ``None`` leaves it out."""
    if not isinstance(part, Mapping):
        return part
    kind = part.get("type")
    made = dict(part)
    if kind == "text":
        if not isinstance(made.get("text"), str):
            made["text"] = "" if made.get("text") is None else str(made["text"])
        refused = rules.blank.get("part", Blank.KEEP) is not Blank.KEEP
        if refused and len(turn.content) > 1 and is_blank(made["text"]):
            return None
    elif kind == "image_url":
        made["image_url"] = _image(made.get("image_url"), rules, where)
    accepted = rules.accepted_parts(str(turn.role))
    if kind == "refusal" and accepted is not None and kind not in accepted:
        return {"type": "text", "text": made.get("refusal") or ""}
    if kind in rules.refused_parts:
        message = f"{where} is of type {kind!r}, which {rules.vendor} does not accept."
        raise unsupported(message)
    if accepted is not None and kind not in accepted and not _belongs_to_user(made, turn, rules):
        message = f"{where} is of type {kind!r}; in the role {turn.role} {rules.vendor} accepts {', '.join(sorted(accepted))}."
        raise unsupported(message)
    _leave_out_keys(made, rules, notes, turn.where)
    return made


def _image(image: Any, rules: MessageRules, where: str) -> dict[str, Any]:
    made = {"url": image} if isinstance(image, str) else dict(image) if isinstance(image, Mapping) else {}
    if isinstance(made.get("url"), str):
        made["url"] = proper_data_url(made["url"], rules, where)
    return made


def _leave_out_keys(part: dict[str, Any], rules: MessageRules, notes: Notes, where: str) -> None:
    kind = str(part.get("type"))
    keys = rules.part_keys.get(kind)
    if keys is None:
        return
    for name in [name for name in part if name not in keys]:
        if not says_nothing(part.pop(name)):
            notes.add(f"{name} of {kind} parts left out: {rules.vendor} refuses it", where)


def _flatten(turn: Turn, rules: MessageRules) -> None:
    parts = turn.content
    plain = all(isinstance(part, Mapping) and part.get("type") == "text" for part in parts)
    if plain and (turn.role in rules.text_only or turn.role in rules.joined_texts or not parts):
        turn.said["content"] = "\n".join(part["text"] for part in parts)


def with_proper_blanks(turns: list[Turn], rules: MessageRules, notes: Notes) -> list[Turn]:
    """Return the conversation without the blank content that the vendor refuses."""
    found: list[Turn] = []
    for turn in turns:
        said, role = turn.said, "system" if turn.role in SYSTEM_ROLES else str(turn.role)
        if role == "assistant" and (turn.calls or isinstance(said.get("function_call"), Mapping)):
            if is_blank(turn.content):
                _silence(said, rules)
        elif is_blank(turn.content) and not _says_more(said, rules):
            policy = rules.blank.get(role, Blank.KEEP)
            if policy is Blank.LEAVE_OUT:
                notes.add(f"blank messages left out: {rules.vendor} refuses them", turn.where)
                continue
            if policy is Blank.STAND_IN:
                said["content"] = rules.stand_in
                notes.add(f"blank content sent as {rules.stand_in!r}: {rules.vendor} refuses it", turn.where)
            elif turn.content is None and not rules.null_content:
                said["content"] = ""
        found.append(turn)
    return found


def _says_more(said: Mapping[str, Any], rules: MessageRules) -> bool:
    """Return whether a message without content has a field that the vendor understands in its place."""
    if said.get("role") != "assistant":
        return False
    if isinstance(said.get("function_call"), Mapping):
        return True
    refusal = said.get("refusal")
    return rules.refusals and bool(said.get("audio") or (isinstance(refusal, str) and refusal.strip()))


def _silence(said: dict[str, Any], rules: MessageRules) -> None:
    if rules.silent_content is SilentContent.EMPTY and said.get("content") in (None, []):
        said["content"] = ""
    elif "content" in said and (rules.silent_content is SilentContent.NULL or said["content"] == []):
        said["content"] = None

"""Message content: parts, blank text, and text for roles without parts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from modelmesh_cdk.message_rules.drafts import SYSTEM_ROLES, DraftMessage, is_blank, unsupported
from modelmesh_cdk.message_rules.fields import is_empty_value
from modelmesh_cdk.message_rules.media import proper_data_url
from modelmesh_cdk.message_rules.notes import Notes
from modelmesh_cdk.message_rules.rules import Blank, ContentWithCalls, MessageRules

_OF_USERS = ("image_url", "input_audio", "file", "video_url", "document_url", "audio_url")
"""Part types that a user message may contain at some vendor."""


def with_accepted_parts(drafts: list[DraftMessage], rules: MessageRules, notes: Notes) -> list[DraftMessage]:
    """Return the conversation with content parts that the vendor accepts in each role.

    A part that only a user message can contain, such as an image in a tool result, moves to a user message after it. With
    several tool results, that message follows the last one.

    Raises:
        ProviderError: The vendor does not accept a part of this type in any role.
    """
    found: list[DraftMessage] = []
    moved: list[Any] = []
    for draft in drafts:
        if moved and draft.role != "tool":
            found.append(DraftMessage({"role": "user", "content": moved}, found[-1].where))
            moved = []
        content = _as_content(draft, rules, notes)
        if isinstance(content, list):
            parts = []
            for place, part in enumerate(content):
                where = f"{draft.where}.content[{place}]"
                one = _part(part, draft, rules, notes, where)
                if one is None:
                    continue
                if _belongs_to_user(one, draft, rules):
                    notes.add(f"{one['type']} parts of the role {draft.role} sent in a message of the user after it", draft.where)
                    moved.append(one)
                else:
                    parts.append(one)
            draft.fields["content"] = parts if parts or not moved else [{"type": "text", "text": "(see the next message)"}]
            _flatten(draft, rules)
        found.append(draft)
    if moved:
        found.append(DraftMessage({"role": "user", "content": moved}, found[-1].where))
    return found


def _as_content(draft: DraftMessage, rules: MessageRules, notes: Notes) -> Any:
    """Return content as text or parts. Other values become JSON text."""
    content = draft.content
    if content is None or isinstance(content, str):
        return content
    if _is_part(content, rules):
        draft.fields["content"] = [content]
    elif not isinstance(content, list) or not all(_is_part(part, rules) for part in content):
        draft.fields["content"] = json.dumps(content, ensure_ascii=False, default=str)
        notes.add("content that is neither text nor parts sent as JSON text", draft.where)
    return draft.content


def _is_part(value: Any, rules: MessageRules) -> bool:
    typed = isinstance(value, Mapping) and isinstance(value.get("type"), str)
    return typed or (isinstance(value, Mapping) and any(name in value for name in rules.untyped_parts))


def _belongs_to_user(part: Any, draft: DraftMessage, rules: MessageRules) -> bool:
    kind = part.get("type") if isinstance(part, Mapping) else None
    own, of_users = rules.accepted_parts(str(draft.role)), rules.accepted_parts("user")
    if draft.role == "user" or own is None or kind in own or kind not in _OF_USERS or kind in rules.refused_parts:
        return False
    return of_users is None or kind in of_users


def _part(part: Any, draft: DraftMessage, rules: MessageRules, notes: Notes, where: str) -> Any:
    """Return a part that the vendor accepts, or ``None`` to drop it."""
    if not isinstance(part, Mapping):
        return part
    kind = part.get("type")
    made = dict(part)
    if kind == "text":
        if not isinstance(made.get("text"), str):
            made["text"] = "" if made.get("text") is None else str(made["text"])
        refused = rules.blank.get("part", Blank.KEEP) is not Blank.KEEP
        if refused and len(draft.content) > 1 and is_blank(made["text"]):
            return None
    elif kind == "image_url":
        made["image_url"] = _image(made.get("image_url"), rules, where)
    accepted = rules.accepted_parts(str(draft.role))
    if kind == "refusal" and accepted is not None and kind not in accepted:
        return {"type": "text", "text": made.get("refusal") or ""}
    if kind in rules.refused_parts:
        message = f"{where} is of type {kind!r}, which {rules.vendor} does not accept."
        raise unsupported(message)
    if accepted is not None and kind not in accepted and not _belongs_to_user(made, draft, rules):
        message = f"{where} is of type {kind!r}; in the role {draft.role} {rules.vendor} accepts {', '.join(sorted(accepted))}."
        raise unsupported(message)
    _leave_out_keys(made, rules, notes, draft.where)
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
        if not is_empty_value(part.pop(name)):
            notes.add(f"{name} of {kind} parts left out: {rules.vendor} refuses it", where)


def _flatten(draft: DraftMessage, rules: MessageRules) -> None:
    parts = draft.content
    plain = all(isinstance(part, Mapping) and part.get("type") == "text" for part in parts)
    if plain and (draft.role in rules.text_only_roles or draft.role in rules.joined_text_roles or not parts):
        draft.fields["content"] = "\n".join(part["text"] for part in parts)


def with_proper_blanks(drafts: list[DraftMessage], rules: MessageRules, notes: Notes) -> list[DraftMessage]:
    """Return the conversation without the blank content that the vendor rejects."""
    found: list[DraftMessage] = []
    for draft in drafts:
        fields, role = draft.fields, "system" if draft.role in SYSTEM_ROLES else str(draft.role)
        if role == "assistant" and (draft.calls or isinstance(fields.get("function_call"), Mapping)):
            if is_blank(draft.content):
                _silence(fields, rules)
        elif is_blank(draft.content) and not _has_other_content(fields, rules):
            policy = rules.blank.get(role, Blank.KEEP)
            if policy is Blank.LEAVE_OUT:
                notes.add(f"blank messages left out: {rules.vendor} refuses them", draft.where)
                continue
            if policy is Blank.STAND_IN:
                fields["content"] = rules.placeholder
                notes.add(f"blank content sent as {rules.placeholder!r}: {rules.vendor} refuses it", draft.where)
            elif draft.content is None and not rules.null_content:
                fields["content"] = ""
        found.append(draft)
    return found


def _has_other_content(fields: Mapping[str, Any], rules: MessageRules) -> bool:
    """Return whether a message without content has another field that the vendor reads."""
    if fields.get("role") != "assistant":
        return False
    if isinstance(fields.get("function_call"), Mapping):
        return True
    refusal = fields.get("refusal")
    return rules.refusals and bool(fields.get("audio") or (isinstance(refusal, str) and refusal.strip()))


def _silence(fields: dict[str, Any], rules: MessageRules) -> None:
    if rules.content_with_calls is ContentWithCalls.EMPTY and fields.get("content") in (None, []):
        fields["content"] = ""
    elif "content" in fields and (rules.content_with_calls is ContentWithCalls.NULL or fields["content"] == []):
        fields["content"] = None

"""Check of a request against the rules of Anthropic's Messages API.

The check is independent of the connector, and its sources are those of the connector's ``message_rules``: errors of the API
quoted in anthropics/anthropic-sdk-python#461, anthropics/claude-code#8210 and #23440, crewAIInc/crewAI#4413,
BerriAI/litellm#3286 and #13769, LibreChat-AI/agents#124, and types of the anthropic package 2.11.0. All were read 2026-11-30.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_BLOCKS = re.compile(
    r"text|image|document|search_result|thinking|redacted_thinking|tool_use|tool_result|tool_reference|container_upload|"
    r"server_tool_use|mcp_tool_use|mcp_tool_listing|compaction|fallback|\w+_tool_result"
)


def anthropic_violations(body: Mapping[str, Any]) -> list[str]:
    """Return the rules that a request breaks, one line each. A valid request has an empty list."""
    turns = body.get("messages")
    if not isinstance(turns, list) or not turns:
        return ["messages is not a list with a turn in it"]
    found = [line for place, turn in enumerate(turns) for line in _turn(turn, f"messages[{place}]")]
    if any("is not an object" in line or "content is" in line for line in found):
        return found
    return [*found, *_system(body.get("system")), *_order(turns), *_parameters(body)]


def _turn(turn: Any, where: str) -> Iterator[str]:
    if not isinstance(turn, Mapping):
        yield f"{where} is not an object"
        return
    if turn.get("role") not in ("user", "assistant"):
        yield f"{where}: role {turn.get('role')!r}"
    if extra := sorted(set(turn) - {"role", "content"}):
        yield f"{where}: keys {extra}"
    content = turn.get("content")
    if isinstance(content, str):
        if not content.strip():
            yield f"{where}: blank text"
    elif isinstance(content, list) and content:
        for place, block in enumerate(content):
            yield from _block(block, f"{where}.content[{place}]")
    else:
        yield f"{where}: content is {content!r}"


def _block(block: Any, where: str) -> Iterator[str]:  # noqa: C901 - one line a rule
    if not isinstance(block, Mapping):
        yield f"{where} is not an object"
        return
    kind = str(block.get("type"))
    if not _BLOCKS.fullmatch(kind):
        yield f"{where}: type {kind!r}"
    if kind == "text" and (not isinstance(block.get("text"), str) or not block["text"].strip()):
        yield f"{where}: blank text"
    if kind == "thinking" and not block.get("signature"):
        yield f"{where}: a thought without a signature"
    source = block.get("source")
    if kind == "image" and isinstance(source, Mapping) and source.get("type") == "base64" and source["media_type"] not in _IMAGES:
        yield f"{where}: an image of {source['media_type']!r}"
    if kind == "tool_use":
        if not isinstance(block.get("input"), Mapping):
            yield f"{where}: input is not an object"
        if not re.fullmatch(r"[a-zA-Z0-9_-]+", str(block.get("id") or "")):
            yield f"{where}: id {block.get('id')!r}"
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", str(block.get("name") or "")):
            yield f"{where}: name {block.get('name')!r}"
    if kind == "tool_result" and isinstance(block.get("content"), list):
        for place, one in enumerate(block["content"]):
            yield from _block(one, f"{where}.content[{place}]")


def _system(system: Any) -> Iterator[str]:
    for place, block in enumerate(system if isinstance(system, list) else ()):
        yield from _block(block, f"system[{place}]")
    if isinstance(system, str) and not system.strip():
        yield "system: blank text"


def _ids(turn: Mapping[str, Any], kind: str, name: str) -> list[Any]:
    content = turn.get("content")
    return [block.get(name) for block in content if block.get("type") == kind] if isinstance(content, list) else []


def _order(turns: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    joined: list[dict[str, Any]] = []  # as the API does with turns of one role that follow each other
    for turn in turns:
        content = turn["content"] if isinstance(turn["content"], list) else [{"type": "text", "text": turn["content"]}]
        if joined and joined[-1]["role"] == turn["role"]:
            joined[-1]["content"] = [*joined[-1]["content"], *content]
        else:
            joined.append({"role": turn["role"], "content": list(content)})
    if joined[0]["role"] != "user":
        yield "the first turn is not the user's"
    used = [given for turn in joined for given in _ids(turn, "tool_use", "id")]
    if len(set(used)) < len(used):
        yield "tool_use ids are not unique"
    waiting: list[Any] = []
    for place, turn in enumerate(joined):
        results = _ids(turn, "tool_result", "tool_use_id")
        if sorted(map(str, results)) != sorted(map(str, waiting)):
            yield f"turn {place}: results of {results}, calls of {waiting}"
        kinds = [block.get("type") for block in turn["content"]]
        if "tool_result" in kinds and kinds[: len(results)] != ["tool_result"] * len(results):
            yield f"turn {place}: tool_result blocks are not first"
        waiting = _ids(turn, "tool_use", "id")
    if waiting:
        yield f"the last calls {waiting} have no results"
    last = joined[-1]["content"][-1]
    if joined[-1]["role"] == "assistant" and last.get("type") == "text" and last["text"] != last["text"].rstrip():
        yield "the last turn, an assistant's, ends in white space"


def _parameters(body: Mapping[str, Any]) -> Iterator[str]:
    stops = body.get("stop_sequences")
    if stops is not None and (not isinstance(stops, list) or not stops or any(not str(one).strip() for one in stops)):
        yield f"stop_sequences is {stops!r}"
    for name in ("tools", "tool_choice", "system"):
        if name in body and body[name] in ([], None, ""):
            yield f"{name} is {body[name]!r}"
    if "tool_choice" in body and not body.get("tools"):
        yield "tool_choice without tools"
    for name in (
        "n",
        "seed",
        "logprobs",
        "presence_penalty",
        "frequency_penalty",
        "logit_bias",
        "response_format",
        "stop",
        "user",
    ):
        if name in body:
            yield f"the parameter {name}"

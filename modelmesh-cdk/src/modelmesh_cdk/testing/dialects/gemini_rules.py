"""Check of a request against the rules of Gemini's ``generateContent``.

The check is independent of the connector, and its sources are those of the connector's ``message_rules``: errors of the API
quoted in google-gemini/gemini-cli#3814, langchain-ai/langchain-google#1298, microsoft/vscode#286628, EvanZhouDev/gemini-ai#3,
and types of google-genai 3.4.0. All were read 2026-11-30.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_IMAGES = ("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif")
_DATA = (
    "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult",
    "toolCall", "toolResponse",
)  # fmt: skip
_BESIDE = ("thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata")
_MOST_STOPS = 5


def gemini_violations(body: Mapping[str, Any]) -> list[str]:
    """Return the rules that a request breaks, one line each. A valid request has an empty list."""
    turns = body.get("contents")
    if not isinstance(turns, list) or not turns:
        return ["contents is not a list with a turn in it"]
    found = [line for place, turn in enumerate(turns) for line in _turn(turn, f"contents[{place}]")]
    system = body.get("systemInstruction")
    if system is not None:
        found += _turn({"role": "user", **system} if isinstance(system, Mapping) else system, "systemInstruction")
    if any("is not" in line for line in found):
        return found
    return [*found, *_order(turns), *_config(body.get("generationConfig") or {})]


def _turn(turn: Any, where: str) -> Iterator[str]:
    parts = turn.get("parts") if isinstance(turn, Mapping) else None
    if not isinstance(parts, list) or not parts:
        yield f"{where} is not a turn with parts"
        return
    if turn.get("role") not in ("user", "model"):
        yield f"{where}: role {turn.get('role')!r}"
    if extra := sorted(set(turn) - {"role", "parts"}):
        yield f"{where}: keys {extra}"
    for place, part in enumerate(parts):
        yield from _part(part, f"{where}.parts[{place}]")


def _part(part: Any, where: str) -> Iterator[str]:
    if not isinstance(part, Mapping):
        yield f"{where} is not an object"
        return
    if len(set(part) & set(_DATA)) != 1 or set(part) - {*_DATA, *_BESIDE}:
        yield f"{where}: keys {sorted(part)}"
    if "text" in part and (not isinstance(part["text"], str) or not part["text"]) and "thoughtSignature" not in part:
        yield f"{where}: empty text"
    for name, key in (("inlineData", "data"), ("fileData", "fileUri")):
        media = part.get(name)
        if media is None:
            continue
        kind = media.get("mimeType")
        if not isinstance(media.get(key), str) or not isinstance(kind, str):
            yield f"{where}: {name} lacks {key} or mimeType"
        elif kind.startswith("image/") and kind not in _IMAGES:
            yield f"{where}: an image of {kind!r}"
    call, response = part.get("functionCall"), part.get("functionResponse")
    if call is not None and (not call.get("name") or not isinstance(call.get("args", {}), Mapping)):
        yield f"{where}: a call without a name, or with args that are not an object"
    if response is not None and (not response.get("name") or not isinstance(response.get("response"), Mapping)):
        yield f"{where}: a result without a name, or with a response that is not an object"


def _of(turn: Mapping[str, Any], name: str) -> list[str]:
    return [str(part[name].get("name")) for part in turn["parts"] if name in part]


def _order(turns: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if turns[0]["role"] != "user":
        yield "the first turn is not the user's"
    waiting: list[str] = []
    for place, turn in enumerate(turns):
        results = _of(turn, "functionResponse")
        if sorted(results) != sorted(waiting):
            yield f"contents[{place}]: results of {results}, calls of {waiting}"
        waiting = _of(turn, "functionCall")
        if waiting and turn["role"] != "model":
            yield f"contents[{place}]: calls in a turn of the user"
    if waiting:
        yield f"the last calls {waiting} have no results"


def _config(config: Mapping[str, Any]) -> Iterator[str]:
    stops = config.get("stopSequences")
    if stops is not None and (not isinstance(stops, list) or not stops or len(stops) > _MOST_STOPS or "" in stops):
        yield f"stopSequences is {stops!r}"

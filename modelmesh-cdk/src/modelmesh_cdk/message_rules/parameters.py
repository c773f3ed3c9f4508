"""Chat parameters other than messages: stop sequences, ranges, empty lists, and unsupported parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh_cdk.message_rules.drafts import unsupported
from modelmesh_cdk.message_rules.notes import Notes
from modelmesh_cdk.message_rules.rules import MessageRules

NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "n": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "parallel_tool_calls": (True,),
    "store": (False,),
    "metadata": ({},),
    "modalities": (["text"],),
    "response_format": ({"type": "text"},),
    "service_tier": ("auto",),
    "stop": ([], ""),
    "tools": ([],),
    "functions": ([],),
}
"""Values without effect, which may be dropped."""

_OPTIONAL = frozenset(
    {
        "temperature", "top_p", "max_tokens", "max_completion_tokens", "seed", "user", "response_format", "tool_choice",
        "parallel_tool_calls", "logit_bias", "logprobs", "top_logprobs", "presence_penalty", "frequency_penalty", "n", "stop",
        "tools", "functions", "function_call", "reasoning_effort", "metadata", "store", "service_tier", "modalities", "audio",
        "prediction", "verbosity", "stream_options", "web_search_options", "safety_identifier", "prompt_cache_key",
    }
)  # fmt: skip
"""OpenAI's parameters for which ``None`` equals an omitted value (openai 3.52.0, ``CompletionCreateParams``, read 2026-11-30)."""

_LISTS = ("tools", "functions", "stop", "modalities")
_OF_TOOLS = ("tool_choice", "parallel_tool_calls")
_MAY_BE_EMPTY = frozenset({*_LISTS, *_OF_TOOLS})


def is_neutral(name: str, value: Any) -> bool:
    """Return whether a parameter has no effect, so that it may be dropped."""
    same = (one for one in NEUTRAL.get(name, ()) if isinstance(value, bool) == isinstance(one, bool))
    return value is None or value in same


def with_accepted_parameters(payload: Mapping[str, Any], rules: MessageRules, notes: Notes) -> dict[str, Any]:
    """Return the parameters that the vendor accepts.

    Raises:
        ProviderError: The vendor does not support a requested feature.
    """
    found = dict(payload)
    if None in payload.values():
        found = {name: value for name, value in payload.items() if value is not None or name not in _OPTIONAL}
    if not _MAY_BE_EMPTY.isdisjoint(found):
        _leave_out_empty(found)
    if rules.single_choice and isinstance(found.get("n"), int) and found["n"] > 1:
        message = f"n={found['n']} asks for several choices, and {rules.vendor} gives one."
        raise unsupported(message)
    for name in rules.unsupported:
        if name in found and not is_neutral(name, found.pop(name)):
            notes.add(f"{name} left out: {rules.vendor} refuses it")
    if "stop" in found:
        _stops(found, rules, notes)
    for name, (least, most) in rules.ranges.items():
        if name in found:
            _keep_within(found, name, least, most, notes)
    return found


def _leave_out_empty(found: dict[str, Any]) -> None:
    for name in _LISTS:
        if name in found and (found[name] is None or found[name] == []):
            del found[name]
    if not found.get("tools") and not found.get("functions"):
        for name in _OF_TOOLS:
            if name in found and found[name] in ("auto", "none", None, True, False):
                del found[name]


def _keep_within(found: dict[str, Any], name: str, least: float | None, most: float | None, notes: Notes) -> None:
    value = found.get(name)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return
    moved = least if least is not None and value < least else most if most is not None and value > most else value
    if moved != value:
        found[name] = moved
        notes.add(f"{name} {value} sent as {moved}: {notes.vendor} accepts {_range(least, most)}")


def _stops(found: dict[str, Any], rules: MessageRules, notes: Notes) -> None:
    given = found.get("stop")
    if given is None:
        return
    stops = [given] if isinstance(given, str) else list(given) if isinstance(given, (list, tuple)) else None
    if stops is None:
        return
    kept = [
        one for one in stops if one not in ("", None) and (rules.accepts_blank_stops or not isinstance(one, str) or one.strip())
    ]
    if any(isinstance(one, str) and one != "" for one in stops if one not in kept):
        notes.add(f"blank stop sequences left out: {rules.vendor} refuses them")
    if rules.max_stop_sequences is not None and len(kept) > rules.max_stop_sequences:
        notes.add(f"stop sequences after the first {rules.max_stop_sequences} left out: {rules.vendor} accepts no more")
        kept = kept[: rules.max_stop_sequences]
    if kept == stops:
        return
    if kept:
        found["stop"] = kept[0] if isinstance(given, str) else kept
    else:
        del found["stop"]


def _range(least: float | None, most: float | None) -> str:
    return f"{'…' if least is None else least} to {'…' if most is None else most}"

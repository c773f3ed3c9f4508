"""Conversion of a text completion to a chat completion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.findings import Findings
from modelmesh._engine.translation.interfaces import ChatTranslation
from modelmesh._engine.translation.refusals import refused
from modelmesh.contracts.call import Call

_CONVERTED = frozenset({"best_of", "echo", "logprobs", "max_tokens", "model", "prompt", "stream", "suffix"})
_TEXT = "Give prompt='…', one text"


def chat_request(call: Call) -> ChatTranslation:
    """Return the chat completion of a request.

    Raises:
        BadRequestError: The request has no prompt, or a prompt of a wrong type.
    """
    given = {name: value for name, value in call.payload.items() if value is not None}
    findings = Findings()
    payload: dict[str, Any] = {"messages": [{"role": "user", "content": _prompt(given.get("prompt"), findings)}]}
    findings.convert("prompt sent as a message of the user: a chat model answers a text instead of continuing it")
    payload |= {name: value for name, value in given.items() if name not in _CONVERTED}
    if given.get("suffix"):
        findings.require_native("suffix: chat completions cannot insert text before a suffix")
    best_of = given.get("best_of")
    if best_of not in (None, 1, given.get("n", 1)):
        findings.require_native("best_of: chat completions do not select the best of several answers")
    limit = given.get("max_tokens")
    if limit is not None:
        payload["max_tokens"] = limit
    _add_logprobs(payload, given, findings)
    return ChatTranslation(
        payload,
        findings.lost,
        findings.native_only,
        None,
        given,
        limit if isinstance(limit, int) and not isinstance(limit, bool) else None,
    )


def _prompt(prompt: Any, findings: Findings) -> str:
    """Return the text of the prompt, the first one of several, which require a native provider."""
    texts = [prompt] if isinstance(prompt, str) else prompt
    if not isinstance(texts, list | tuple) or not texts:
        raise refused("prompt", "is missing or empty", _TEXT)
    if not all(isinstance(text, str) for text in texts):
        if not all(isinstance(text, int | list | tuple) for text in texts):
            raise refused("prompt", "is neither text nor a list of texts", _TEXT)
        findings.require_native("prompt: only the vendor whose tokens these are can read them")
        return ""
    if len(texts) > 1:
        findings.require_native(f"prompt: a chat completion answers one prompt, and the list has {len(texts)}")
    return str(texts[0])


def _add_logprobs(payload: dict[str, Any], given: Mapping[str, Any], findings: Findings) -> None:
    count = given.get("logprobs")
    if count is None:
        return
    if given.get("echo"):
        findings.require_native("echo with logprobs: chat completions do not return the prompt's log probabilities")
    payload["logprobs"] = True
    if count:
        payload["top_logprobs"] = count

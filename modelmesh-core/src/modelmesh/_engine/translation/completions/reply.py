"""Conversion of a chat completion and its chunks to text completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.chat_answers import as_list, base_id, finish_reason, further_fields, index_of

_REASONS = {"tool_calls": "stop", "function_call": "stop"}
"""Finish reasons that a text completion does not have."""


def completion_of(body: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the text completion of a complete chat answer.

    Args:
        body: The chat completion.
        request: Body of the caller's request.
    """
    choices = []
    for choice in as_list(body.get("choices")):
        message = choice.get("message") if isinstance(choice, dict) else None
        if isinstance(message, Mapping):
            echo = echoed(request)
            text = echo + _text(message)
            choices.append(_choice(choice, text, _Logprobs(len(echo)).add(choice.get("logprobs"))))
    return {**_head(body, f"cmpl-{base_id(body)}"), "choices": choices, "usage": body.get("usage")}


class TextChunks:
    """The translation of one stream."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        """Store the body of the caller's request."""
        self._request = request
        self._id = ""
        self._logprobs: dict[int, _Logprobs] = {}

    def feed(self, chunk: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the text chunk of a chat chunk. A chunk without text, finish reason or usage has none."""
        self._id = self._id or f"cmpl-{base_id(chunk)}"
        choices = []
        for choice in as_list(chunk.get("choices")):
            delta = choice.get("delta") if isinstance(choice, dict) else None
            if not isinstance(delta, Mapping):
                continue
            text, index = _text(delta), index_of(choice)
            if index not in self._logprobs:
                echo = echoed(self._request)
                self._logprobs[index] = _Logprobs(len(echo))
                text = echo + text
            if text or finish_reason(choice) is not None:
                choices.append(_choice(choice, text, self._logprobs[index].add(choice.get("logprobs"))))
        usage = chunk.get("usage")
        if not choices and usage is None:
            return []
        made = {**_head(chunk, self._id), "choices": choices}
        return [made if usage is None else {**made, "usage": usage}]

    def end(self) -> list[dict[str, Any]]:
        """Return nothing: the last chunk has the finish reason or the usage."""
        return []

    def fail(self, error: Exception) -> list[dict[str, Any]]:
        """Return the error in OpenAI's format, from which the openai package raises ``APIError``."""
        code = getattr(error, "code", None)
        return [{"error": {"message": str(error), "type": "server_error", "code": code, "param": None}}]


def echoed(request: Mapping[str, Any]) -> str:
    """Return the prompt of a request with ``echo``, which precedes the text of the answer."""
    prompt = request.get("prompt")
    if isinstance(prompt, list | tuple) and prompt:
        prompt = prompt[0]
    return prompt if request.get("echo") and isinstance(prompt, str) else ""


def _head(body: Mapping[str, Any], identity: str) -> dict[str, Any]:
    return {
        **further_fields(body),
        "id": identity,
        "object": "text_completion",
        "created": body.get("created") or 0,
        "model": body.get("model") or "",
    }


def _text(message: Mapping[str, Any]) -> str:
    content, refusal = message.get("content"), message.get("refusal")
    if not isinstance(content, str):
        content = "".join(str(part.get("text") or "") for part in as_list(content) if isinstance(part, Mapping))
    return content + (refusal if isinstance(refusal, str) else "")


def _choice(choice: Mapping[str, Any], text: str, logprobs: Any) -> dict[str, Any]:
    reason = finish_reason(choice)
    known = ("index", "message", "delta", "finish_reason", "logprobs")
    return {
        **{name: value for name, value in choice.items() if name not in known and value is not None},
        "index": index_of(choice),
        "text": text,
        "finish_reason": reason if reason is None else _REASONS.get(reason, reason),
        "logprobs": logprobs,
    }


class _Logprobs:
    """Log probabilities of one choice, with the offset of each token in the text."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    def add(self, given: Any) -> dict[str, Any] | None:
        tokens = [one for one in as_list(given.get("content")) if isinstance(one, Mapping)] if isinstance(given, Mapping) else []
        if not tokens:
            return None
        offsets = []
        for token in tokens:
            offsets.append(self._offset)
            self._offset += len(str(token.get("token") or ""))
        return {
            "tokens": [token.get("token") for token in tokens],
            "token_logprobs": [token.get("logprob") for token in tokens],
            "top_logprobs": [
                {
                    str(top.get("token")): top.get("logprob")
                    for top in as_list(token.get("top_logprobs"))
                    if isinstance(top, Mapping)
                }
                for token in tokens
            ],
            "text_offset": offsets,
        }

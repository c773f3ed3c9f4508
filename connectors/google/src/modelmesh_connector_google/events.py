"""Conversion of Gemini's stream events to chunks in OpenAI's format.

Each event is a ``GenerateContentResponse`` of google-genai 3.4.0 with further parts, read 2026-11-21. There is no final
event such as ``[DONE]``. A candidate is complete when it has a finish reason. The stream ends with the body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from modelmesh.errors import ProviderError
from modelmesh_cdk import ServerSentEvent, json_codec
from modelmesh_connector_google.answers import (
    CONVERTED,
    call_id,
    check_end,
    extra_choice_fields,
    extra_content_fields,
    extra_fields,
    finish_reason,
    index_of,
    is_plain,
    logprobs_of,
    parts_in,
    signed,
    tool_call_from_part,
    usage_of,
)

_HEAD = (("id", "responseId"), ("model", "modelVersion"))
_OF_CANDIDATE = frozenset({"content", "index"})
_OF_CONTENT = frozenset({"parts", "role"})


class _Candidate:
    """A candidate that its events complete."""

    __slots__ = ("_parts", "_pieces", "begun", "calls", "finished")

    def __init__(self) -> None:
        self.begun = self.finished = False
        self.calls = 0
        self._parts: list[dict[str, Any]] = []
        self._pieces: list[str] = []

    @property
    def parts(self) -> list[dict[str, Any]]:
        """All parts, with the pieces of a text joined."""
        if self._pieces:
            last = self._parts[-1]
            self._parts[-1] = {**last, "text": "".join([last["text"], *self._pieces])}
            self._pieces = []
        return self._parts

    @property
    def has_content(self) -> bool:
        """Whether the candidate has text or a call."""
        return self.calls > 0 or any(part.get("text") and not part.get("thought") for part in self.parts)

    def keep(self, part: dict[str, Any]) -> None:
        """Add a part. A text continues a text before it."""
        last = self._parts[-1] if self._parts else {}
        if "text" in part and last.keys() == part.keys() and part.keys() <= {"text", "thought"}:
            self._pieces.append(part["text"])
        elif part != {"text": ""}:
            self.parts.append(part)


class EventDecoder:
    """Decoder of one stream."""

    done = False

    def __init__(
        self,
        failure: Callable[[Mapping[str, Any]], ProviderError],
        *,
        model: str,
        candidates: int,
        include_usage: bool,
        created: int,
    ) -> None:
        """Store the callbacks and facts of the request.

        Args:
            failure: Returns the error of an error event or of a blocked prompt.
            model: The requested model, until the vendor reports one.
            candidates: Requested number of answers. Usage is known when all are complete.
            include_usage: Whether usage comes in a separate last chunk, as OpenAI sends it on request.
            created: Unix time, the same on every chunk.
        """
        self._failure = failure
        self._expected = candidates
        self._include_usage = include_usage
        self._head: dict[str, Any] = {"id": None, "object": "chat.completion.chunk", "created": created, "model": model}
        self._usage: dict[str, Any] = {}
        self._candidates: dict[int, _Candidate] = {}
        self._finished = 0

    def decode(self, event: ServerSentEvent) -> Sequence[dict[str, Any]]:
        """Return the chunks of one event.

        Raises:
            ValueError: The event is not JSON, or not in the documented format.
            ProviderError: The event is an error.
        """
        data = json_codec.decode(event.data)
        if isinstance(data, list) and len(data) == 1:
            data = data[0]
        if not isinstance(data, dict):
            message = "an event is not a JSON object"
            raise ValueError(message)  # noqa: TRY004 - an unreadable response
        if data.get("error") or blocked(data):
            raise self._failure(data)
        text = self._text_chunk(data)
        if text is not None:
            return (text,)
        try:
            return self._read(data)
        except (KeyError, TypeError, AttributeError):
            message = "an event is not in Gemini's documented format"
            raise ValueError(message) from None

    def _text_chunk(self, data: dict[str, Any]) -> dict[str, Any] | None:
        """Return the chunk of an event that only continues the text of a candidate, ``None`` for any other event."""
        candidates = data.get("candidates")
        if candidates.__class__ is not list or len(candidates) != 1 or self._finished or not data.keys() <= CONVERTED:
            return None
        raw = candidates[0]
        if raw.__class__ is not dict or not raw.keys() <= _OF_CANDIDATE:
            return None
        index, content = raw.get("index", 0), raw.get("content")
        one = self._candidates.get(index) if index.__class__ is int else None
        if one is None or not one.begun or content.__class__ is not dict or not content.keys() <= _OF_CONTENT:
            return None
        parts = content.get("parts")
        if parts.__class__ is not list or len(parts) != 1 or parts[0].__class__ is not dict or len(parts[0]) != 1:
            return None
        text = parts[0].get("text")
        if text.__class__ is not str or not text:
            return None
        one.keep(parts[0])
        self._note_head(data)
        choice = {"index": index, "delta": {"content": text}, "finish_reason": None, "logprobs": None}
        return {**self._head, "choices": [choice]}

    def _note_head(self, data: dict[str, Any]) -> Any:
        """Record the names and the usage of an event, and return the usage."""
        for ours, theirs in _HEAD:
            if data.get(theirs) is not None:
                self._head[ours] = data[theirs]
        reported = data.get("usageMetadata")
        if reported.__class__ is dict:  # totals so far, not increments. Omitted counts stay unchanged.
            self._usage |= reported
        return reported

    def _read(self, data: dict[str, Any]) -> Sequence[dict[str, Any]]:
        reported = self._note_head(data)
        late = self._complete()
        candidates = data.get("candidates") or []
        if not isinstance(candidates, list):
            raise TypeError
        found = [self._choice(one, place) for place, one in enumerate(candidates)]
        choices = [choice for choice in found if choice is not None]
        extra = extra_fields(data)
        chunks: list[dict[str, Any]] = []
        if choices or extra:
            chunks.append({**extra, **self._head, "choices": choices})
        usage = usage_of(self._usage) if self._complete() and (reported or not late) else None
        if usage is not None:
            if chunks and not self._include_usage:
                chunks[-1]["usage"] = usage
            else:
                chunks.append({**self._head, "choices": [], "usage": usage})
        return chunks

    def _complete(self) -> bool:
        return self._finished >= self._expected

    def _choice(self, raw: Mapping[str, Any], place: int) -> dict[str, Any] | None:
        index = index_of(raw, place)
        one = self._candidates.setdefault(index, _Candidate())
        delta: dict[str, Any] = {}
        for part in parts_in(raw):
            one.keep(part)
            self._add(delta, part, one, index)
        delta = {**extra_content_fields(raw), **delta}
        extra = extra_choice_fields(raw)
        finish = finish_reason(raw.get("finishReason"), called=one.calls > 0)
        if finish is not None:
            check_end(raw.get("finishReason"), self._usage, has_content=one.has_content)
            self._finished += not one.finished
            one.finished = True
            if not is_plain(one.parts):
                delta["content_parts"] = list(one.parts)
        if not delta and not extra:
            return None
        if not one.begun:
            one.begun = True
            delta = {"role": "assistant", "content": "", **delta}
        return {
            **extra,
            "index": index,
            "delta": delta,
            "finish_reason": finish,
            "logprobs": logprobs_of(raw.get("logprobsResult")),
        }

    def _add(self, delta: dict[str, Any], part: dict[str, Any], one: _Candidate, index: int) -> None:
        if "functionCall" in part:
            call = tool_call_from_part(part, call_id(part, self._head["id"], index, one.calls))
            delta.setdefault("tool_calls", []).append({"index": one.calls, **call})
            one.calls += 1
            return
        text = part.get("text")
        if text:
            field = "reasoning_content" if part.get("thought") else "content"
            delta[field] = delta.get(field, "") + text
        if text is not None:
            delta |= signed(part)


def blocked(data: Mapping[str, Any]) -> Any:
    """Return why the prompt was blocked, ``None`` when there is an answer."""
    feedback = data.get("promptFeedback")
    reason = feedback.get("blockReason") if isinstance(feedback, dict) else None
    return None if data.get("candidates") else reason

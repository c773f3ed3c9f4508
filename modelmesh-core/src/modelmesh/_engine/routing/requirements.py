"""Requirements of a request, derived from its body.

A model is excluded only for features that its catalogue row *states* it lacks. A feature that is not stated is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from modelmesh.contracts.operations import StreamKind

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call
    from modelmesh.contracts.models import ModelInfo

NEEDS = (
    "streaming", "synchronous", "tool_calling", "structured_output", "json_mode", "vision", "system_prompt", "logprobs",
    "reasoning", "grounding", "subtitles", "timestamps", "diarization",
)  # fmt: skip


def lacks(info: ModelInfo) -> Iterator[str]:
    """Yield the features that a model states it lacks."""
    for need in NEEDS:
        stated = info.delivery.get(need) if need in _DELIVERY else info.features.get(need)
        if stated is False:
            yield need


_DELIVERY = frozenset({"streaming", "synchronous"})


def needs(call: Call, watched: frozenset[str]) -> list[str]:
    """Return the features that a call needs.

    Args:
        call: The request.
        watched: Features to check for. The body is not searched for others.
    """
    return [need for need in NEEDS if need in watched and _READERS[need](call)]


def _reasons(call: Call) -> bool:
    effort = call.payload.get("reasoning_effort")
    return effort not in (None, "none") or any(call.payload.get(name) for name in ("reasoning", "thinking"))


def _searches(call: Call) -> bool:
    return call.payload.get("web_search_options") is not None


def _json_schema(call: Call) -> bool:
    return _response_format(call) == "json_schema"


def _json_object(call: Call) -> bool:
    return _response_format(call) == "json_object"


def _is_streamed(call: Call) -> bool:
    """Return whether the vendor must send events. Any body of bytes can be read in pieces."""
    return call.stream and call.stream_kind is not StreamKind.BYTES


def _is_plain(call: Call) -> bool:
    return not call.stream


def _wants_subtitles(call: Call) -> bool:
    return call.payload.get("response_format") in ("srt", "vtt")


def _wants_timestamps(call: Call) -> bool:
    return call.payload.get("response_format") == "verbose_json" or bool(call.payload.get("timestamp_granularities"))


def _wants_speakers(call: Call) -> bool:
    return call.payload.get("response_format") == "diarized_json"


def _wants_logprobs(call: Call) -> bool:
    return bool(call.payload.get("logprobs"))


def _uses_tools(call: Call) -> bool:
    return bool(call.payload.get("tools") or call.payload.get("functions"))


def _response_format(call: Call) -> str | None:
    stated = call.payload.get("response_format")
    return stated.get("type") if isinstance(stated, Mapping) else None


def _messages(call: Call) -> list[Any]:
    messages = call.payload.get("messages")
    return messages if isinstance(messages, list) else []


def _shows_images(call: Call) -> bool:
    return any(
        isinstance(part, Mapping) and part.get("type") in ("image_url", "image")
        for message in _messages(call)
        if isinstance(message, Mapping) and isinstance(message.get("content"), list)
        for part in message["content"]
    )


def _has_system_message(call: Call) -> bool:
    return any(isinstance(m, Mapping) and m.get("role") in ("system", "developer") for m in _messages(call))


_READERS: dict[str, Callable[[Call], bool]] = {
    "streaming": _is_streamed,
    "synchronous": _is_plain,
    "tool_calling": _uses_tools,
    "structured_output": _json_schema,
    "json_mode": _json_object,
    "vision": _shows_images,
    "system_prompt": _has_system_message,
    "logprobs": _wants_logprobs,
    "reasoning": _reasons,
    "grounding": _searches,
    "subtitles": _wants_subtitles,
    "timestamps": _wants_timestamps,
    "diarization": _wants_speakers,
}

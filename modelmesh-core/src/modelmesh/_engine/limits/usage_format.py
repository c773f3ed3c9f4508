"""Token usage of any operation in the format of chat completions, which accounting reads.

Field names are those of the types ``responses.response_usage``, ``images_response`` and ``audio.transcription`` of the openai
package 3.52.0 and of ``types.usage`` of the anthropic package 2.11.0 (read 2026-11-30). Replies keep the vendor's own report.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts.usage import reported_tokens

_CACHE_READ, _CACHE_WRITE = "cache_read_input_tokens", "cache_creation_input_tokens"
_INPUT_DETAILS = ("input_tokens_details", "input_token_details")
_OUTPUT_DETAILS = ("output_tokens_details", "output_token_details")


def chat_usage(reported: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a usage report with ``prompt_tokens`` and ``completion_tokens``.

    A report in that format is returned as it is. Of a report in seconds, as transcriptions have, ``audio_seconds`` remain.

    Args:
        reported: The vendor's report, ``None`` without one.
    """
    if not reported:
        return None
    if "input_tokens" not in reported and "output_tokens" not in reported:
        seconds = reported.get("seconds")
        if reported.get("type") == "duration" and isinstance(seconds, int | float) and not isinstance(seconds, bool):
            return {"audio_seconds": seconds}
        return reported if reported.__class__ is dict else dict(reported)
    prompt, output = reported_tokens(reported.get("input_tokens")), reported_tokens(reported.get("output_tokens"))
    details = _first(reported, _INPUT_DETAILS)
    if _CACHE_READ in reported or _CACHE_WRITE in reported:  # Anthropic counts tokens of the cache apart from the input
        read, written = (reported_tokens(reported.get(name)) or 0 for name in (_CACHE_READ, _CACHE_WRITE))
        prompt = None if prompt is None else prompt + read + written
        details = {**details, "cached_tokens": read, "cache_write_tokens": written}
    counts = {"prompt_tokens": prompt, "completion_tokens": output}
    usage: dict[str, Any] = {name: count for name, count in counts.items() if count is not None}
    if prompt is not None and output is not None:
        usage["total_tokens"] = prompt + output
    if details:
        usage["prompt_tokens_details"] = details
    output_details = _first(reported, _OUTPUT_DETAILS)
    if output_details:
        usage["completion_tokens_details"] = output_details
    return usage


def _first(reported: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return next((dict(value) for name in names if isinstance(value := reported.get(name), Mapping)), {})

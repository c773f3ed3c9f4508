"""Parts that Gemini's operations on images and audio share.

Paths, fields and the version ``v1beta`` are those of the google-genai package 3.4.0 (``_api_client.py``, ``types.Part``,
``types.GenerationConfig``), read 2026-11-30.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from modelmesh.contracts import FailureClass, FileUpload
from modelmesh_cdk import WireRequest, media_type_of, provider_error, scrub_key, unsupported_parameter
from modelmesh_cdk.message_rules import is_neutral
from modelmesh_connector_google.answers import FINISH, check_end, usage_of
from modelmesh_connector_google.events import blocked
from modelmesh_connector_google.parameters import IN_CONFIG

MAX_INLINE = 20 * 1024 * 1024
"""Bytes of a request with files, in base64 (ai.google.dev/gemini-api/docs/files, read 2026-11-30)."""


def endpoint(provider: Any, model: str, method: str) -> str:
    """Return the address of a method of a model, of the version that has all of Gemini's media."""
    name = model if model.startswith(("models/", "tunedModels/")) else f"models/{model}"
    return f"{media_root(provider)}/{quote(name, safe='/')}:{method}"


def media_root(provider: Any) -> str:
    """Return the API root. The version is ``v1beta`` unless the settings name one."""
    root: str = provider.api_root
    return f"{root}beta" if not provider.names_version and root.endswith("/v1") else root


def inline(file: Any, where: str) -> dict[str, Any]:
    """Return the part of a file.

    Raises:
        ProviderError: It is no file, or larger than a request may be.
    """
    if not isinstance(file, FileUpload):
        raise unsupported_parameter(where, "is no file")
    if file.size * 4 // 3 > MAX_INLINE:
        raise unsupported_parameter(where, f"has {file.size:,} bytes. Gemini takes files up to {MAX_INLINE * 3 // 4:,} bytes")
    return {"inlineData": {"mimeType": media_type_of(file), "data": file}}


def body_of(request: WireRequest, parts: list[Any], config: Mapping[str, Any], own: Collection[str]) -> dict[str, Any]:
    """Return the body of ``generateContent``.

    Args:
        request: The request. Its parameters of Gemini, such as ``safetySettings``, are sent unchanged.
        parts: The prompt.
        config: Parts of ``generationConfig``.
        own: Parameters of OpenAI that the caller has converted or dropped.
    """
    rest = {name: value for name, value in request.payload.items() if name not in own and value is not None}
    given = rest.pop("generationConfig", None)
    inner = {name: rest.pop(name) for name in list(rest) if name in IN_CONFIG}
    merged = {**config, **inner, **(given if isinstance(given, Mapping) else {})}
    return {"contents": [{"role": "user", "parts": parts}], "generationConfig": merged, **rest}


def drop(request: WireRequest, *names: str) -> None:
    """Record parameters that Gemini lacks. Defaults of OpenAI lose nothing."""
    for name in names:
        value = request.payload.get(name)
        if value is not None and not is_neutral(name, value) and value not in ("auto", "standard"):
            request.adapted.append(f"{name} dropped: Gemini has no such parameter")


def refuse_stream(request: WireRequest, what: str) -> None:
    """Refuse a request for a stream.

    Raises:
        ProviderError: The caller asked for a stream.
    """
    if request.stream:
        raise unsupported_parameter("stream", f"is true, and Gemini returns {what} at once")


def parts_of_answer(provider: Any, data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the parts of an answer, without thoughts.

    Raises:
        ProviderError: Gemini blocked the prompt or the answer, or the answer is incomplete.
        ValueError: The body is not in Gemini's format.
    """
    if blocked(data):
        raise provider._map_embedded_error(data)  # noqa: SLF001 - a hook
    candidates = data.get("candidates")
    if not isinstance(candidates, list) or not candidates or not all(isinstance(one, dict) for one in candidates):
        message = "its body is not a Gemini response: it has no candidates"
        raise ValueError(message)
    found = [part for one in candidates for part in _parts(one) if isinstance(part, dict) and not part.get("thought")]
    if not found:
        reason = candidates[0].get("finishReason")
        if FINISH.get(reason) == "content_filter":
            message = f"the provider blocked the answer (finishReason {str(reason)[:80]})"
            raise provider_error(
                FailureClass.POLICY, message, code=str(reason), status=400, body=scrub_key(dict(data), provider.api_key)
            )
        check_end(reason, data.get("usageMetadata"), has_content=False)
    yield from found


def _parts(candidate: Mapping[str, Any]) -> list[Any]:
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, Mapping) else None
    return parts if isinstance(parts, list) else []


def media_usage(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return usage with the fields of OpenAI's images and transcriptions, ``None`` when Gemini reports none."""
    found = usage_of(data.get("usageMetadata"))
    if found is None or "prompt_tokens" not in found:
        return None
    prompt, output = found["prompt_tokens"], found.get("completion_tokens", 0)
    read, written = found.get("prompt_tokens_details", {}), found.get("completion_tokens_details", {})
    return {
        "input_tokens": prompt,
        "output_tokens": output,
        "total_tokens": found.get("total_tokens", prompt + output),
        "input_tokens_details": {"text_tokens": 0, "image_tokens": 0, **read},
        **({"output_tokens_details": {"text_tokens": 0, "image_tokens": 0, **written}} if written else {}),
    }

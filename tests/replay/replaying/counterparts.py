"""Readings of the vendors' SDKs: each sends its own request to a loopback server and reads the recorded bytes.

OpenRouter, Hugging Face and DeepSeek document the openai package as their SDK.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import anthropic
import cohere
import groq
import openai
from cohere.core.api_error import ApiError
from mistralai.client import Mistral
from mistralai.client.errors import MistralError

from replaying.questions import ANY
from replaying.readings import Reading, of_chunks, of_completion
from replaying.recorded import Recording

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from google import genai
    from google.genai import errors as google_errors

FINISH: Mapping[str, Mapping[str, str]] = {
    "anthropic": {"end_turn": "stop", "tool_use": "tool_calls", "max_tokens": "length"},
    "cohere": {"COMPLETE": "stop", "STOP_SEQUENCE": "stop", "TOOL_CALL": "tool_calls", "MAX_TOKENS": "length"},
    "google": {"STOP": "stop", "MAX_TOKENS": "length"},
}
"""OpenAI's finish reason by the vendor's. Gemini's STOP after a function call is ``tool_calls``."""

SDK_ERRORS = (openai.APIError, anthropic.APIError, groq.APIError, google_errors.APIError, MistralError, ApiError)
KEY = "test-key"


def read(recording: Recording, url: str) -> Reading:
    """Return the reading of the vendor's SDK for a recorded response of the server at ``url``."""
    body = {**(recording.body or ANY), "model": recording.model}
    streams = recording.streams and body.pop("stream", True)
    body.pop("stream", None)
    return BY_VENDOR.get(recording.vendor, _openai)(recording, url, body, streams)


def _openai(recording: Recording, url: str, body: dict[str, Any], streams: bool, sdk: Any = openai.OpenAI) -> Reading:
    address = url if sdk is groq.Groq else url + recording.prefix
    with sdk(api_key=KEY, base_url=address, max_retries=0) as client:
        answer = client.chat.completions.create(**body, stream=streams)
        return of_chunks(answer) if streams else of_completion(answer)


def _groq(recording: Recording, url: str, body: dict[str, Any], streams: bool) -> Reading:
    return _openai(recording, url, body, streams, groq.Groq)


def _mistral(_: Recording, url: str, body: dict[str, Any], streams: bool) -> Reading:
    with Mistral(api_key=KEY, server_url=url) as client:
        if streams:
            with client.chat.stream(**body) as events:
                return of_chunks([event.data for event in events])
        answer = client.chat.complete(**body)
        chunks = answer.choices[0].message.content
        if isinstance(chunks, list):
            answer.choices[0].message.content = "".join(chunk.text for chunk in chunks if chunk.type == "text")
        return of_completion(answer)


def _anthropic(_: Recording, url: str, body: dict[str, Any], streams: bool) -> Reading:
    with warnings.catch_warnings(), anthropic.Anthropic(api_key=KEY, base_url=url, max_retries=0) as client:
        warnings.simplefilter("ignore", DeprecationWarning)  # it warns of models that have gone since they were recorded
        if streams:
            with client.messages.stream(**body) as stream:
                message = stream.get_final_message()
        else:
            message = client.messages.create(**body)
    usage = message.usage
    prompt = usage.input_tokens + (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    return Reading(
        "".join(block.text for block in message.content if block.type == "text"),
        tuple((block.id, block.name, block.input) for block in message.content if block.type == "tool_use"),
        prompt,
        usage.output_tokens,
        prompt + usage.output_tokens,
        FINISH["anthropic"][message.stop_reason],
    )


def _google(recording: Recording, url: str, body: dict[str, Any], streams: bool) -> Reading:
    options = {"base_url": url, "api_version": recording.prefix.strip("/")}
    asked = {"model": recording.model, "contents": body["contents"]}
    with genai.Client(api_key=KEY, http_options=options) as client:
        models = client.models
        answers = list(models.generate_content_stream(**asked)) if streams else [models.generate_content(**asked)]
    parts = [part for answer in answers for part in answer.candidates[0].content.parts or ()]
    calls = [part.function_call for part in parts if part.function_call]
    usage, reason = answers[-1].usage_metadata, answers[-1].candidates[0].finish_reason
    return Reading(
        "".join(part.text or "" for part in parts if not part.thought),
        tuple((call.id, call.name, call.args) for call in calls),
        usage.prompt_token_count,
        (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0),
        usage.total_token_count,
        "tool_calls" if calls else FINISH["google"][reason.value],
    )


def _cohere(_: Recording, url: str, body: dict[str, Any], streams: bool) -> Reading:
    with cohere.ClientV2(api_key=KEY, base_url=url, client_name="test") as client:
        if not streams:
            answer = client.chat(**body)
            said = "".join(part.text for part in answer.message.content or () if part.type == "text")
            calls = [(one.id, one.function.name, one.function.arguments) for one in answer.message.tool_calls or ()]
            return _of_cohere(said, calls, answer.usage, answer.finish_reason)
        text, usage, reason = "", None, None
        found: dict[int, list[str]] = {}
        for event in client.chat_stream(**body):
            if event.type == "content-delta":
                text += event.delta.message.content.text
            elif event.type == "tool-call-start":
                call = event.delta.message.tool_calls
                found[event.index] = [call.id, call.function.name, call.function.arguments]
            elif event.type == "tool-call-delta":
                found[event.index][2] += event.delta.message.tool_calls.function.arguments
            elif event.type == "message-end":
                usage, reason = event.delta.usage, event.delta.finish_reason
        return _of_cohere(text, [tuple(found[index]) for index in sorted(found)], usage, reason)


def _of_cohere(text: str, calls: list[Any], usage: Any, reason: Any) -> Reading:
    prompt, completion = int(usage.tokens.input_tokens), int(usage.tokens.output_tokens)
    decoded = tuple((id_, name, json.loads(arguments)) for id_, name, arguments in calls)
    return Reading(text, decoded, prompt, completion, prompt + completion, FINISH["cohere"][str(reason)])


BY_VENDOR: Mapping[str, Callable[..., Reading]] = {
    "groq": _groq,
    "mistral": _mistral,
    "anthropic": _anthropic,
    "google": _google,
    "cohere": _cohere,
}

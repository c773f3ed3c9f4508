"""Requests for recorded calls: equal to the recording, except for the differences in this table."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from typing import Any

import httpx2
import pytest
from attrs import frozen
from replaying import ours
from replaying.questions import lowered
from replaying.recorded import Recording, recordings

from modelmesh import errors

KNOWN = [one for kind in ("answers", "streams", "errors", "broken") for one in recordings(kind) if one.body is not None]


@frozen
class Difference:
    """A difference from the recorded request.

    Attributes:
        why: Its reason.
        change: Converts the recorded body to ours.
        of: Vendors that it affects. None affects all.
    """

    why: str
    change: Callable[[dict[str, Any]], Any]
    of: tuple[str, ...] = ()


def _without(name: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    def change(body: dict[str, Any]) -> None:
        if body.get(name) == value:
            del body[name]

    return change


def _no_nulls(body: dict[str, Any]) -> None:
    for message in body["messages"]:
        content = message["content"]
        for one in [message, *(content if isinstance(content, list) else ())]:
            for name in [name for name, value in one.items() if value is None]:
                del one[name]


def _nothing_said(body: dict[str, Any]) -> None:
    for message in body["messages"]:
        for name in ("annotations", "tool_calls"):
            if name in message and not message[name]:
                del message[name]


def _arguments(body: dict[str, Any]) -> None:
    for message in body["messages"]:
        for call in message.get("tool_calls") or ():
            call["function"].setdefault("arguments", "{}")


def _required(body: dict[str, Any]) -> None:
    if body.get("tool_choice") == "any":
        body["tool_choice"] = "required"


def _no_role(body: dict[str, Any]) -> None:
    body.get("systemInstruction", {}).pop("role", None)


def _schemas(body: dict[str, Any]) -> None:
    for tool in body.get("tools", ()):
        for one in tool["functionDeclarations"]:
            one["parametersJsonSchema"] = lowered(one.pop("parameters"))


def _usage(body: dict[str, Any]) -> None:
    if body.get("stream"):
        body.setdefault("stream_options", {"include_usage": True})


DIFFERENCES = (
    Difference("the default said aloud", _without("stream", False)),
    Difference("a stream reports its usage on request only", _usage, ("groq",)),
    Difference("an empty list of tools is refused", _without("tools", []), ("anthropic",)),
    Difference("an empty object is the same as none", _without("generationConfig", {}), ("google",)),
    Difference("null is the same as nothing", _no_nulls, ("anthropic", "cohere")),
    Difference("a key without effect is dropped", _nothing_said, ("openai", "mistral")),
    Difference("arguments are required", _arguments, ("huggingface",)),
    Difference("OpenAI's name, and Mistral accepts both", _required, ("mistral",)),
    Difference("Gemini ignores the role of the system instruction", _no_role, ("google",)),
    Difference("the newer field accepts JSON schema, the older one a dialect of it", _schemas, ("google",)),
)

HEADERS = {("anthropic", "anthropic-version"): "2026-10-21"}  # the version of the anthropic package 2.11.0


def sent(recording: Recording, upstream: Any) -> Any:
    upstream.always(recording.script())
    if recording.status == 200 and recording.name != "stream-error":
        ours.read(recording, upstream.url, in_task=False)
    else:
        with pytest.raises(errors.ProviderError):
            ours.ask(recording, upstream.url, in_task=False)
    return upstream.last


@pytest.mark.parametrize("recording", KNOWN, ids=[one.label for one in KNOWN])
def test_request_equals_recorded_request(recording: Recording, upstream: Any) -> None:
    request = sent(recording, upstream)
    recorded = deepcopy(recording.body)
    for one in DIFFERENCES:
        if not one.of or recording.vendor in one.of:
            one.change(recorded)
    assert request.json == recorded
    assert request.method == recording.facts["request"]["method"]
    for name, value in recording.facts["request"]["headers"].items():
        if name != "accept":  # we accept one of the two media types, the recorders' clients mostly accept any
            assert request.headers[name] == HEADERS.get((recording.vendor, name), value), name


def test_listed_differences_all_occur() -> None:
    for one in DIFFERENCES:
        concerned = [deepcopy(recording.body) for recording in KNOWN if not one.of or recording.vendor in one.of]
        before = deepcopy(concerned)
        for body in concerned:
            one.change(body)
        assert concerned != before, one.why


PATHS = {
    # The recorder's path named the provider behind the router. The router finds one by the model's name.
    "huggingface": ("/together/", "/"),
    # The version of the google-genai package 3.4.0.
    "google": ("/v1beta/", "/v1/"),
}


@pytest.mark.parametrize("recording", KNOWN, ids=[one.label for one in KNOWN])
def test_request_url_is_the_vendors(recording: Recording, upstream: Any) -> None:
    asked: list[str] = []

    class Elsewhere(httpx2.HTTPTransport):
        """Transport that sends to the loopback server and records the original address."""

        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            asked.append(f"{request.url.host}{request.url.raw_path.decode()}")
            request.url = httpx2.URL(upstream.url).copy_with(raw_path=request.url.raw_path)
            return super().handle_request(request)

    upstream.always(recording.script())
    with httpx2.Client(transport=Elsewhere()) as client:
        with suppress(errors.ProviderError):
            ours.ask(recording, "", in_task=False, http_client=client)
    path = recording.path.replace(*PATHS.get(recording.vendor, ("", "")))
    assert asked == [recording.facts["request"]["host"] + path]

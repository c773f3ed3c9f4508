"""Conversion of a chat completion request to a request of Perplexity's Agent API.

Names and formats are those of docs.perplexity.ai/docs/agent-api/migrate-from-sonar and of the perplexityai package 0.46.1
(``types/response_create_params.py``, ``types/input_item_param.py``), read 2026-11-21. The Agent API rejects unknown
fields, so fields with another name are renamed. Fields unknown to this module are sent unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts import FailureClass
from modelmesh.errors import ProviderError
from modelmesh_cdk import WireRequest, provider_error

PRESET = "preset:"
SEARCH = "web_search"
FILTERS = (
    "search_domain_filter",
    "search_recency_filter",
    "search_after_date_filter",
    "search_before_date_filter",
    "last_updated_after_filter",
    "last_updated_before_filter",
)
RENAMED = {"max_tokens": "max_output_tokens", "max_completion_tokens": "max_output_tokens"}
_PARTS = {"text": "input_text", "image_url": "input_image"}


def body_of(request: WireRequest, *, searches: bool, recency: str | None) -> dict[str, Any]:
    """Return the body.

    Args:
        request: The request, which receives the adaptations. Attempts share its values, which are not changed.
        searches: Whether a request without the tool ``web_search`` gets it.
        recency: The filter of a request without one.
    """
    given = dict(request.payload)
    name = request.model
    body: dict[str, Any] = {"preset": name.removeprefix(PRESET)} if name.startswith(PRESET) else {"model": name}
    body["input"] = [item for message in given.pop("messages") for item in _items(message, request.adapted)]
    tools = given.pop("tools", None) or []
    if not isinstance(tools, list):
        raise _wrong("tools", f"is {type(tools).__name__}, not a list")
    tools = [_tool(tool) for tool in tools]
    wanted = _search_of(given, recency)
    found = next((tool for tool in tools if isinstance(tool, dict) and tool.get("type") == SEARCH), None)
    if found is not None:
        filters = {**wanted.pop("filters", {}), **(found.get("filters") or {})}
        found |= {**wanted, **found, **({"filters": filters} if filters else {})}
    elif wanted or (searches and "preset" not in body):
        tools.append({"type": SEARCH, **wanted})
    if tools:
        body["tools"] = tools
    for theirs, ours in RENAMED.items():
        if theirs in given:
            body[ours] = given.pop(theirs)
    if "reasoning_effort" in given:
        given.setdefault("reasoning", {"effort": given["reasoning_effort"]})
        del given["reasoning_effort"]
    chosen = given.get("tool_choice")
    if isinstance(chosen, Mapping) and isinstance(chosen.get("function"), Mapping):
        given["tool_choice"] = {"name": chosen["function"].get("name")}
    if request.stream:
        body["stream"] = True
    return {**body, **given}


def _search_of(given: dict[str, Any], recency: str | None) -> dict[str, Any]:
    """Move the parameters of the web search out of the request's parameters."""
    filters = {name: given.pop(name) for name in FILTERS if name in given}
    if recency and not any(name.endswith("_date_filter") for name in filters):
        filters.setdefault("search_recency_filter", recency)
    search: dict[str, Any] = {"filters": filters} if filters else {}
    options = given.get("web_search_options")
    if isinstance(options, Mapping) and set(options) <= {"search_context_size", "user_location"}:
        search |= given.pop("web_search_options")
        place = search.get("user_location")
        if isinstance(place, Mapping) and isinstance(place.get("approximate"), Mapping):  # OpenAI's format
            search["user_location"] = place["approximate"]
    if "num_search_results" in given:
        search["max_results"] = given.pop("num_search_results")
    return search


def _tool(tool: Any) -> Any:
    if isinstance(tool, Mapping) and isinstance(tool.get("function"), Mapping):
        return {"type": "function", **tool["function"]}
    return dict(tool) if isinstance(tool, Mapping) else tool


def _items(message: Any, adapted: list[str]) -> list[Any]:
    if not isinstance(message, Mapping):
        return [message]
    content = message.get("content")
    if message.get("role") == "tool":
        return [{"type": "function_call_output", "call_id": message.get("tool_call_id"), "output": _text(content)}]
    items: list[Any] = []
    if content or (content is not None and not message.get("tool_calls")):
        parts = [_part(part, adapted) for part in content] if isinstance(content, list) else content
        items.append({"type": "message", "role": message.get("role"), "content": parts})
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping):
            raise _wrong("messages[].tool_calls", "contains an entry that is not a function call")
        named = {"name": function.get("name"), "arguments": function.get("arguments")}
        items.append({"type": "function_call", "call_id": call.get("id"), **named})
    return items


def _wrong(where: str, why: str) -> ProviderError:
    return provider_error(FailureClass.CALLER, f"{where} {why}. Nothing was sent.", status=400)


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return str(content if content is not None else "")


def _part(part: Any, adapted: list[str]) -> Any:
    kind = part.get("type") if isinstance(part, Mapping) else None
    if kind == "text":
        return {"type": _PARTS[kind], "text": part.get("text")}
    if kind == "image_url":
        image = part.get("image_url")
        if isinstance(image, Mapping):
            adapted += [f"image_url.{name} is left out" for name in image if name != "url"]
        return {"type": _PARTS[kind], "image_url": image.get("url") if isinstance(image, Mapping) else image}
    return part

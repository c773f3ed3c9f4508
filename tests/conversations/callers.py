"""Callers that use the openai package: they append each response to their messages and send the next request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Self

import pytest

import modelmesh

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"Give the {name}.",
            "parameters": {"type": "object", "properties": {one: {"type": kind} for one in names}, "required": names},
        },
    }
    for name, names, kind in (("weather", ["city"], "string"), ("difference", ["a", "b"], "number"))
]
ASKED = {"tools": TOOLS, "max_completion_tokens": 4096, "reasoning_effort": "high"}
DEVELOPER = {"role": "developer", "content": "Answer in one sentence."}
QUESTION = {"role": "user", "content": "Where is it warmer, in Oslo or in Rome?"}


def put_together(whole: dict[str, Any], delta: dict[str, Any]) -> None:
    """Add a delta without a helper: texts are joined, and list items are found by index."""
    for name, value in delta.items():
        known = whole.get(name)
        if known is None or name in ("index", "type"):
            whole[name] = json.loads(json.dumps(value))
        elif isinstance(value, str):
            whole[name] = known + value
        elif isinstance(value, dict):
            put_together(known, value)
        elif isinstance(value, list):
            for item in value:
                same = [one for one in known if one["index"] == item["index"]]
                if same:
                    put_together(same[0], item)
                else:
                    known.append(json.loads(json.dumps(item)))


def by_the_sdk(whole: dict[str, Any], delta: dict[str, Any]) -> None:
    """Add a delta with the streaming helper of the openai package."""
    accumulate = pytest.importorskip("openai.lib.streaming._deltas").accumulate_delta
    whole |= accumulate(whole, json.loads(json.dumps(delta)))


class Caller:
    """One conversation with one client. A context manager.

    Attributes:
        messages: The conversation so far.
        reply: The latest reply or stream.
    """

    def __init__(self, way: str, config: dict[str, Any]) -> None:
        self.messages: list[Any] = [DEVELOPER, QUESTION]
        self.reply: Any = None
        self._config = config
        self._async = way.startswith("async")
        self._kept = KEPT.get(way.removeprefix("async "))
        self._join = JOINED.get(way.removeprefix("async "))
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        if self._async:
            self._runner.__enter__()
            self._client: Any = modelmesh.create_async(config=self._config)
        else:
            self._client = modelmesh.create(config=self._config)
        return self

    def __exit__(self, *rest: object) -> None:
        if self._async:
            self._runner.run(self._client.__aexit__(None, None, None))
            self._runner.__exit__(None, None, None)
        else:
            self._client.__exit__(None, None, None)

    def ask(self, **more: Any) -> Any:
        """Send the conversation, append the response and return it in its appended form."""
        given = {"model": "chat-completion", "messages": list(self.messages), **ASKED, **more}
        message = self._runner.run(self._aasked(given)) if self._async else self._asked(given)
        self.messages.append(message)
        return message

    def _asked(self, given: dict[str, Any]) -> Any:
        if self._join is None:
            self.reply = self._client.chat.completions.create(**given)
            return self._kept(self.reply.choices[0].message)
        whole: dict[str, Any] = {}
        with self._client.chat.completions.create(**given, stream=True) as self.reply:
            for chunk in self.reply:
                self._take(whole, chunk)
        return whole

    async def _aasked(self, given: dict[str, Any]) -> Any:
        if self._join is None:
            self.reply = await self._client.chat.completions.create(**given)
            return self._kept(self.reply.choices[0].message)
        whole: dict[str, Any] = {}
        async with await self._client.chat.completions.create(**given, stream=True) as self.reply:
            async for chunk in self.reply:
                self._take(whole, chunk)
        return whole

    def _take(self, whole: dict[str, Any], chunk: Any) -> None:
        if chunk.choices:
            self._join(whole, chunk.choices[0].delta.to_dict())

    def results(self, message: Any) -> int:
        """Append the results of the calls in a message. Return their number."""
        calls = message.get("tool_calls") or []
        for call in calls:
            given = json.loads(call["function"]["arguments"])
            result = {"degrees": {"Oslo": 3, "Rome": 21}.get(given.get("city"), 18)}
            self.messages.append({"role": "tool", "tool_call_id": call["id"], "content": json.dumps(result)})
        return len(calls)

    def says(self, text: str) -> None:
        self.messages.append({"role": "user", "content": text})


KEPT: dict[str, Callable[[Any], Any]] = {
    "object": lambda message: message,
    "model_dump": lambda message: message.model_dump(),
    "to_dict": lambda message: message.to_dict(exclude_none=True),
}
JOINED: dict[str, Callable[[dict[str, Any], dict[str, Any]], None]] = {"deltas": put_together, "deltas by the SDK": by_the_sdk}
WAYS = (*KEPT, *JOINED, "async object", "async deltas")

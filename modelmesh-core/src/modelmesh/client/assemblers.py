"""Assembly of complete answers from streams, with the events of the official SDK's ``stream()`` methods."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from modelmesh.client.attribute_dict import AttributeDict
from modelmesh.client.parsing import Output, parse_chat, parse_response, read_arguments
from modelmesh.client.replies import ChatCompletion
from modelmesh.client.shapes.chat import ChatCompletionChunk, TokenLogprob
from modelmesh.client.shapes.responses import Response, ResponseEvent
from modelmesh.errors import StreamInterruptedError

if TYPE_CHECKING:
    from modelmesh.client.shapes.chat import ChunkChoice


class ChatStreamEvent(AttributeDict, nested={"chunk": ChatCompletionChunk}):
    """One event of ``chat.completions.stream()``: ``chunk``, ``content.delta``, ``content.done`` or another."""

    __slots__ = ()

    type: str
    chunk: ChatCompletionChunk
    delta: str
    snapshot: Any
    content: Any
    parsed: Any
    refusal: Any
    name: str
    index: int
    arguments: str
    arguments_delta: str
    parsed_arguments: Any


class ChatAssembler:
    """Assembles a chat completion."""

    def __init__(self, output: Output | None, tools: Iterable[Any] | None) -> None:
        """Start without a chunk.

        Args:
            output: The class of the answer.
            tools: The tools of the request.
        """
        self._output, self._tools = output, list(tools or ())
        self._head: dict[str, Any] = {}
        self._choices: dict[int, dict[str, Any]] = {}

    def feed(self, chunk: ChatCompletionChunk) -> list[ChatStreamEvent]:
        """Return the events of a chunk."""
        self._head.update({name: value for name, value in chunk.items() if name != "choices" and value is not None})
        events = [ChatStreamEvent(type="chunk", chunk=chunk, snapshot=self._body())]
        for choice in chunk.choices or ():
            events += self._feed_choice(choice)
        return events

    def _feed_choice(self, choice: ChunkChoice) -> Iterable[ChatStreamEvent]:
        empty = {"index": choice.index, "message": {"role": "assistant", "content": None}, "finish_reason": None}
        made = self._choices.setdefault(choice.index, empty)
        message, delta = made["message"], choice.delta
        for name in ("content", "refusal"):
            part = delta.get(name)
            if part is not None:
                message[name] = (message.get(name) or "") + part
                yield ChatStreamEvent(type=f"{name}.delta", delta=part, snapshot=message[name])
        for call in delta.tool_calls or ():
            yield from self._feed_call(message, call)
        for name, parts in (choice.get("logprobs") or {}).items():
            if parts:
                found = made.setdefault("logprobs", {"content": None, "refusal": None})
                found[name] = [*(found.get(name) or ()), *parts]
                tokens = [TokenLogprob(one) for one in found[name]]
                yield ChatStreamEvent({"type": f"logprobs.{name}.delta", name: parts, "snapshot": tokens})
        for name, value in delta.items():
            if name not in ("role", "content", "refusal", "tool_calls") and value is not None:
                both_text = isinstance(value, str) and isinstance(message.get(name), str)
                message[name] = message[name] + value if both_text else value
        if choice.finish_reason is not None and made["finish_reason"] is None:
            made["finish_reason"] = choice.finish_reason
            yield from self._done(made)

    def _feed_call(self, message: dict[str, Any], call: Any) -> Iterable[ChatStreamEvent]:
        calls = message.setdefault("tool_calls", [])
        while len(calls) <= call.index:
            if calls:
                yield from self._call_done(calls[-1], len(calls) - 1)
            calls.append({"id": None, "type": "function", "function": {"name": "", "arguments": ""}})
        made = calls[call.index]
        made["id"], made["type"] = call.id or made["id"], call.type or made["type"]
        made.update({name: one for name, one in call.items() if name not in ("index", "id", "type", "function")})
        function, part = made["function"], call.function
        if part is None:
            return
        function["name"] = part.name or function["name"]
        if part.arguments is not None:
            function["arguments"] += part.arguments
            facts = {"name": function["name"], "index": call.index, "arguments": function["arguments"]}
            event = "tool_calls.function.arguments.delta"
            yield ChatStreamEvent({"type": event, "arguments_delta": part.arguments, "parsed_arguments": None, **facts})

    def _done(self, made: dict[str, Any]) -> Iterable[ChatStreamEvent]:
        message = made["message"]
        if message.get("tool_calls"):
            yield from self._call_done(message["tool_calls"][-1], len(message["tool_calls"]) - 1)
        if message.get("content"):
            complete = self._output is not None and made["finish_reason"] == "stop" and not message.get("refusal")
            parsed = self._output.read(message["content"]) if self._output is not None and complete else None
            yield ChatStreamEvent(type="content.done", content=message["content"], parsed=parsed)
        if message.get("refusal"):
            yield ChatStreamEvent(type="refusal.done", refusal=message["refusal"])
        for name, parts in (made.get("logprobs") or {}).items():
            if parts:
                yield ChatStreamEvent({"type": f"logprobs.{name}.done", name: parts})

    def _call_done(self, call: dict[str, Any], index: int) -> Iterable[ChatStreamEvent]:
        function = AttributeDict(call["function"])
        parsed = read_arguments(function, self._tools)
        yield ChatStreamEvent(type="tool_calls.function.arguments.done", index=index, parsed_arguments=parsed, **function)

    def _body(self) -> dict[str, Any]:
        choices = [self._choices[index] for index in sorted(self._choices)]
        return {**self._head, "object": "chat.completion", "choices": choices}

    def reply(self, history: Any) -> ChatCompletion:
        """Return the complete answer."""
        return parse_chat(ChatCompletion(self._body(), history), self._output, self._tools)  # type: ignore[no-any-return]


class ResponseAssembler:
    """Returns the response of the last event."""

    def __init__(self, output: Output | None, tools: Iterable[Any] | None) -> None:
        """Start without an event."""
        self._output, self._tools = output, list(tools or ())
        self._texts: dict[tuple[int | None, int | None], str] = {}
        self._final: Any = None

    def feed(self, event: ResponseEvent) -> list[ResponseEvent]:
        """Return the event. Deltas of texts also have a ``snapshot``, and complete texts the parsed object."""
        place = (event.output_index, event.content_index)
        if event.type == "response.output_text.delta":
            self._texts[place] = event["snapshot"] = self._texts.get(place, "") + event.delta
        elif event.type == "response.output_text.done" and self._output is not None:
            event["parsed"] = self._output.read(event.text or "")
        elif event.type in ("response.completed", "response.incomplete", "response.failed"):
            self._final = event.response
        return [event]

    def reply(self, history: Any) -> Response:
        """Return the complete response.

        Raises:
            StreamInterruptedError: The stream was closed before its last event.
        """
        if self._final is None:
            message = "no complete response: the stream was closed before its last event"
            raise StreamInterruptedError(message)
        return parse_response(Response(dict(self._final), history), self._output, self._tools)  # type: ignore[no-any-return]

"""Structured output: schemas of classes, and objects from the text of answers.

Parsed objects are attributes of a message and not items of it, so that a message can be sent as part of the next request.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from modelmesh._engine.foundation.failures import FailureClass
from modelmesh.client.attribute_dict import AttributeDict
from modelmesh.client.shapes.chat import Function, Message
from modelmesh.client.shapes.responses import ResponseContent, ResponseItem
from modelmesh.errors import BadUpstreamResponseError, ConfigurationError

_INCOMPLETE = {
    "length": "the answer ended at the token limit. Raise max_tokens, or ask for less",
    "content_filter": "the vendor's content filter ended the answer. Change the prompt",
}


class _Parsed(AttributeDict):
    """An object of an answer with a parsed object."""

    __slots__ = ()

    _parsed: Any

    def __init__(self, data: dict[str, Any], parsed: Any = None) -> None:
        super().__init__(data)
        object.__setattr__(self, "_parsed", parsed)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.model_dump(), self._parsed))


class ParsedMessage(_Parsed, Message):
    """A message with the object that its content contains."""

    __slots__ = ("_parsed",)

    @property
    def parsed(self) -> Any:
        """The object."""
        return self._parsed


class ParsedFunction(_Parsed, Function):
    """A function call with its decoded arguments."""

    __slots__ = ("_parsed",)

    @property
    def parsed_arguments(self) -> Any:
        """The arguments."""
        return self._parsed


class ParsedContent(_Parsed, ResponseContent):
    """A text of a response with the object that it contains."""

    __slots__ = ("_parsed",)

    @property
    def parsed(self) -> Any:
        """The object."""
        return self._parsed


class ParsedItem(_Parsed, ResponseItem):
    """A function call of a response with its decoded arguments."""

    __slots__ = ("_parsed",)

    @property
    def parsed_arguments(self) -> Any:
        """The arguments."""
        return self._parsed


class Output:
    """The class of an answer: a pydantic model, or a type that ``pydantic.TypeAdapter`` accepts."""

    def __init__(self, shape: Any) -> None:
        """Read the schema of a class.

        Raises:
            ConfigurationError: The class is no pydantic model, and pydantic is not installed.
        """
        self.name = getattr(shape, "__name__", "output")
        if hasattr(shape, "model_json_schema"):
            schema, self._validate = shape.model_json_schema(), shape.model_validate_json
        else:
            try:
                from pydantic import TypeAdapter  # noqa: PLC0415 - only for classes that are no pydantic models
            except ModuleNotFoundError as error:
                message = f"the schema of {self.name} needs pydantic: pip install pydantic, or pass a dictionary"
                raise ConfigurationError(message) from error
            adapter: Any = TypeAdapter(shape)
            schema, self._validate = adapter.json_schema(), adapter.validate_json
        self.schema = strict_schema(schema)

    def chat_format(self) -> dict[str, Any]:
        """Return the schema as ``response_format`` of a chat completion."""
        return {"type": "json_schema", "json_schema": {"name": self.name, "schema": self.schema, "strict": True}}

    def text_format(self) -> dict[str, Any]:
        """Return the schema as ``text.format`` of a response."""
        return {"type": "json_schema", "name": self.name, "schema": self.schema, "strict": True}

    def read(self, text: str) -> Any:
        """Return the object of a text.

        Raises:
            ValueError: The text does not follow the schema: the ``ValidationError`` of pydantic.
        """
        return self._validate(text)


def output_of(shape: Any) -> Output | None:
    """Return the class of an answer, ``None`` for a dictionary or without one."""
    return None if shape is None or isinstance(shape, Mapping) or type(shape).__name__ in ("NotGiven", "Omit") else Output(shape)


def strict_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema in OpenAI's strict form: every property is required, and no other is allowed."""
    root = deepcopy(dict(schema))
    made: dict[str, Any] = _strict(root, root)
    return made


def _strict(node: Any, root: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_strict(one, root) for one in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str) and len(node) > 1:  # a reference allows no other key in strict form
        return _strict({**_target(node["$ref"], root), **{name: one for name, one in node.items() if name != "$ref"}}, root)
    made: dict[str, Any] = {}
    for name, one in node.items():
        if name in ("properties", "$defs", "definitions"):
            made[name] = {key: _strict(below, root) for key, below in one.items()}
        elif name in ("items", "anyOf", "allOf", "oneOf", "prefixItems"):
            made[name] = _strict(one, root)
        elif not (name == "default" and one is None):
            made[name] = one
    if made.get("type") == "object":
        made.setdefault("additionalProperties", False)
        made["required"] = list(made.get("properties", ()))
    return made


def _target(reference: str, root: Mapping[str, Any]) -> Any:
    """Return the part of a schema to which a reference points."""
    target: Any = root
    for part in reference.removeprefix("#/").split("/"):
        target = target[part]
    return target


def parse_chat(completion: Any, output: Output | None, tools: Iterable[Any] | None) -> Any:
    """Add the parsed objects to the messages of a chat completion.

    Raises:
        BadUpstreamResponseError: An answer is incomplete.
    """
    for choice in completion.choices or ():
        if choice.finish_reason in _INCOMPLETE:
            raise _incomplete("chat.completions", choice.finish_reason, completion)
        message = choice.message
        for call in message.tool_calls or ():
            if call.type == "function" and call.function is not None:
                call["function"] = ParsedFunction(call.function, read_arguments(call.function, tools))
        is_text = output is not None and message.content and not message.refusal and not message.tool_calls
        choice["message"] = ParsedMessage(message, output.read(message.content) if output is not None and is_text else None)
    return completion


def parse_response(response: Any, output: Output | None, tools: Iterable[Any] | None) -> Any:
    """Add the parsed objects to the items of a response.

    Raises:
        BadUpstreamResponseError: The response is incomplete.
    """
    if response.status == "incomplete":
        reason = response.incomplete_details.reason if response.incomplete_details else None
        raise _incomplete("responses", "content_filter" if reason == "content_filter" else "length", response)
    for place, item in enumerate(response.output or ()):
        if item.type == "message" and output is not None:
            for index, part in enumerate(item.content or ()):
                if part.type == "output_text":
                    item.content[index] = ParsedContent(part, output.read(part.text))
        elif item.type == "function_call":
            response.output[place] = ParsedItem(item, read_arguments(item, tools))
    return response


def read_arguments(call: AttributeDict, tools: Iterable[Any] | None) -> Any:
    """Return the decoded arguments of a call to a strict function, ``None`` for any other function."""
    for tool in tools or ():
        function = tool.get("function", tool) if isinstance(tool, Mapping) else {}
        if function.get("name") == call.get("name"):
            model = getattr(function, "model", None) or getattr(tool, "model", None)  # of the SDK's pydantic_function_tool()
            if model is not None:
                return model.model_validate_json(call.get("arguments"))
            return json.loads(call["arguments"]) if function.get("strict") else None
    return None


def _incomplete(operation: str, reason: str, reply: Any) -> BadUpstreamResponseError:
    message = f"client.{operation}: cannot parse the answer: {_INCOMPLETE[reason]}."
    facts = {"provider_id": reply.provider, "model_id": reply.attempts[-1].model_id, "body": reply.model_dump()}
    return BadUpstreamResponseError(message, failure=FailureClass.PROTOCOL, **facts)

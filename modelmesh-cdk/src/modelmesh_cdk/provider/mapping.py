"""Mappings between OpenAI's format and a vendor's JSON, as data.

A path consists of names with dots between them: ``input.messages``. A number is an index of a list, ``*`` stands for all items:
``output.content.*.text`` is the joined text of every block.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any, Self

from attrs import field, fields_dict, frozen

from modelmesh.errors import ConfigurationError

MISSING = object()
"""Result of :func:`found` for a path without a value. ``None`` is a value."""


@frozen(kw_only=True)
class RequestMapping:
    """Positions of the parameters of a call in the vendor's body.

    Attributes:
        model_field: The model. Empty when the URL contains it.
        messages_field: The messages.
        temperature_field: The temperature.
        max_tokens_field: The limit of output tokens.
        stream_field: The flag for streaming. Empty when another URL selects it.
        fields: Other parameters by OpenAI's name: ``{"top_p": "options.topP"}``.
        extra_fields: Constant fields of every request. A parameter of the caller with the same name has priority.
        rest_field: Object of all other parameters. Empty for the top level.
    """

    model_field: str = "model"
    messages_field: str = "messages"
    temperature_field: str = "temperature"
    max_tokens_field: str = "max_tokens"
    stream_field: str = "stream"
    fields: Mapping[str, str] = field(factory=dict)
    extra_fields: Mapping[str, Any] = field(factory=dict)
    rest_field: str = ""

    @classmethod
    def of(cls, settings: Any) -> Self:
        """Read a map, as a configuration has it."""
        return settings if isinstance(settings, cls) else cls(**_known(cls, settings))

    def body(self, model: str, payload: Mapping[str, Any], *, stream: bool) -> dict[str, Any]:
        """Return the vendor's body of a call. The call is not changed."""
        target: dict[str, Any] = {}
        places = {
            "messages": self.messages_field, "temperature": self.temperature_field, "max_tokens": self.max_tokens_field,
            **self.fields,
        }  # fmt: skip
        if self.max_tokens_field != "max_tokens" and "max_tokens" not in payload:
            places.setdefault("max_completion_tokens", self.max_tokens_field)  # OpenAI's newer name of it
        if self.model_field:
            put(target, self.model_field, model)
        for name, value in payload.items():
            rest = f"{self.rest_field}.{name}" if self.rest_field else name
            if name in places:
                put(target, places[name], value)
            elif self.rest_field:
                put(target, rest, value)
            else:
                target.setdefault(name, value)  # a name with a dot is not a path here
        if stream and self.stream_field:
            put(target, self.stream_field, True)
        return _beneath(target, self.extra_fields)


@frozen(kw_only=True)
class ResponseMapping:
    """Positions of the parts of an answer in the vendor's body, or of a chunk in one event.

    Attributes:
        id_field: The answer's ID.
        model_field: The model that answered.
        choices_field: The list of choices, or the only choice. Empty when the body is the choice.
        content_field: The text, within a choice.
        finish_reason_field: The finish reason, within a choice.
        finish_reasons: OpenAI's finish reasons by the vendor's: ``{"end_turn": "stop"}``. Others stay unchanged.
        usage_field: The token usage.
        prompt_tokens_field: Prompt tokens, within the usage.
        completion_tokens_field: Completion tokens, within the usage.
    """

    id_field: str = "id"
    model_field: str = "model"
    choices_field: str = "choices"
    content_field: str = "message.content"
    finish_reason_field: str = "finish_reason"
    finish_reasons: Mapping[str, str] = field(factory=dict)
    usage_field: str = "usage"
    prompt_tokens_field: str = "prompt_tokens"
    completion_tokens_field: str = "completion_tokens"

    @classmethod
    def of(cls, settings: Any) -> Self:
        """Read a map, as a configuration has it."""
        return settings if isinstance(settings, cls) else cls(**_known(cls, settings))

    def answer(self, data: Mapping[str, Any], part: str = "message") -> dict[str, Any]:
        """Return an answer in OpenAI's format, with every further field of the vendor.

        A vendor's field with the name of one of OpenAI's moves to ``vendor_fields``.

        Args:
            data: The vendor's body, or the data of one event. It is not changed.
            part: Object with the text of a choice: ``message``, or ``delta`` in a stream.
        """
        kind = "chat.completion" if part == "message" else "chat.completion.chunk"
        made = dict(data)
        self._lay(made, "object", made.get("object") if made.get("object") in ("chat.completion", kind) else kind)
        for name, path in (("id", self.id_field), ("model", self.model_field)):
            value = found(data, path)
            if value is not MISSING:
                self._lay(made, name, value)
        choices = found(data, self.choices_field) if self.choices_field else data
        if choices is not MISSING:
            listed = choices if isinstance(choices, list) else [choices]
            self._lay(made, "choices", [self._choice(one, place, part) for place, one in enumerate(listed)])
        elif part == "delta":
            made.setdefault("choices", [])
        usage = found(data, self.usage_field) if self.usage_field else data
        if isinstance(usage, Mapping):
            counted = self._usage(usage, whole=self.usage_field != "")
            if counted:
                self._lay(made, "usage", counted)
        return made

    def _choice(self, raw: Any, place: int, part: str) -> dict[str, Any]:
        choice: dict[str, Any] = dict(raw) if isinstance(raw, Mapping) and self.choices_field else {}
        text = raw if isinstance(raw, str) else found(raw, self.content_field)
        given = choice.get(part)
        message: dict[str, Any] = dict(given) if isinstance(given, Mapping) else {}
        if part == "message":
            message.setdefault("role", "assistant")
        if text is not MISSING or part == "message":
            self._lay(message, "content", None if text is MISSING else text)
        choice.setdefault("index", place)
        self._lay(choice, part, message)
        reason = found(raw, self.finish_reason_field)
        known = self.finish_reasons.get(reason, reason) if isinstance(reason, str) else None
        self._lay(choice, "finish_reason", known)
        return choice

    def _usage(self, raw: Mapping[str, Any], *, whole: bool) -> dict[str, Any]:
        usage = dict(raw) if whole else {}
        paths = {"prompt_tokens": self.prompt_tokens_field, "completion_tokens": self.completion_tokens_field}
        counts = {name: found(raw, path) for name, path in paths.items()}
        usage |= {name: count for name, count in counts.items() if isinstance(count, int)}
        if "total_tokens" not in usage and all(isinstance(count, int) for count in counts.values()):
            usage["total_tokens"] = sum(counts.values())
        return usage

    @staticmethod
    def _lay(target: dict[str, Any], name: str, value: Any) -> None:
        """Set a field. A different value that it replaces moves to ``vendor_fields``."""
        there = target.get(name, MISSING)
        within = isinstance(there, Mapping) and isinstance(value, Mapping) and there.items() <= value.items()
        if there is not MISSING and there is not None and there != value and not within:
            target["vendor_fields"] = {**target.get("vendor_fields", {}), name: there}
        target[name] = value


def found(data: Any, path: str) -> Any:
    """Return the value at a path, :data:`MISSING` without one. A ``*`` joins texts and lists other values."""
    names = path.split(".")
    for place, name in enumerate(names):
        if name == "*":
            if not isinstance(data, list):
                return MISSING
            rest = ".".join(names[place + 1 :])
            each = [one if not rest else found(one, rest) for one in data]
            there = [one for one in each if one is not MISSING]
            return "".join(there) if there and all(isinstance(one, str) for one in there) else (there or MISSING)
        if isinstance(data, Mapping) and name in data:
            data = data[name]
        elif isinstance(data, list) and name.isdecimal() and int(name) < len(data):
            data = data[int(name)]
        else:
            return MISSING
    return data


def put(target: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a path. Missing maps on the path are created."""
    *way, last = path.split(".")
    for name in way:
        inner = target.get(name)
        target[name] = dict(inner) if isinstance(inner, Mapping) else {}
        target = target[name]
    target[last] = value


def _beneath(target: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in extra.items():
        there = target.get(name, MISSING)
        if there is MISSING:
            target[name] = copy(value)
        elif isinstance(there, Mapping) and isinstance(value, Mapping):
            target[name] = _beneath(dict(there), value)
    return target


def _known(cls: type[Any], settings: Mapping[str, Any]) -> Mapping[str, Any]:
    unknown = sorted(set(settings) - set(fields_dict(cls)))
    if unknown:
        message = f"{cls.__name__} has no field {', '.join(unknown)}. Known: {', '.join(fields_dict(cls))}."
        raise ConfigurationError(message)
    return settings

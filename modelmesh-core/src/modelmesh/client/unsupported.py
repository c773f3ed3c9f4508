"""Unsupported parts of OpenAI's interface. Each raises a typed error that names the alternative."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from modelmesh.errors import ConfigurationError

SDK_INSTEAD = "Use the vendor's own SDK for it: openai.OpenAI()"

PARTS = {
    "beta": "Call the resource without 'beta', e.g. client.chat.completions",
    "fine_tuning": SDK_INSTEAD,
    "vector_stores": SDK_INSTEAD,
    "containers": SDK_INSTEAD,
    "conversations": SDK_INSTEAD,
    "evals": SDK_INSTEAD,
    "realtime": SDK_INSTEAD,
    "videos": SDK_INSTEAD,
    "webhooks": SDK_INSTEAD,
    "chat.completions.retrieve": f"Stored completions are the vendor's. {SDK_INSTEAD}",
    "chat.completions.list": f"Stored completions are the vendor's. {SDK_INSTEAD}",
    "chat.completions.update": f"Stored completions are the vendor's. {SDK_INSTEAD}",
    "chat.completions.delete": f"Stored completions are the vendor's. {SDK_INSTEAD}",
    "images.create_variation": "Call client.images.edit(image=…, prompt=…)",
    "responses.compact": SDK_INSTEAD,
    "responses.connect": SDK_INSTEAD,
    "responses.input_tokens": SDK_INSTEAD,
    "models.delete": SDK_INSTEAD,
}
"""Alternatives, by the name of the part on the client."""


class UnsupportedPart:
    """An unsupported part of OpenAI's interface. A call of it or of any of its members raises."""

    def __init__(self, name: str, part: str) -> None:
        self._name, self._part = name, part

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # probes of copy, pickle, notebooks and debuggers
            message = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(message)
        return UnsupportedPart(f"{self._name}.{name}", self._part)

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        """Raise the error that names the alternative.

        Raises:
            ConfigurationError: Always.
        """
        from importlib.metadata import version  # noqa: PLC0415 - imported for the message only

        message = f"client.{self._name}() is not served by modelmesh-core {version('modelmesh-core')}. {PARTS[self._part]}."
        raise ConfigurationError(message)

    def __repr__(self) -> str:
        return f"<client.{self._name}: not served by this version>"


class UnsupportedApi:
    """Base of the client and its resources, with the unsupported parts of :data:`PARTS` as attributes."""

    _prefix = ""

    def __repr__(self) -> str:
        return f"<client.{self._prefix.rstrip('.')}>"

    if not TYPE_CHECKING:  # hidden, so that an unsupported part or a misspelled name is a type error

        def __getattr__(self, name: str) -> Any:
            part = f"{self._prefix}{name}"
            if part in PARTS:
                return UnsupportedPart(part, part)
            message = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(message)

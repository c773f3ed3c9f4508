"""Conversion of the fields of a multipart body to the payload of an operation."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from modelmesh._engine.gateway.messages import HttpError
from modelmesh.contracts.files import FileUpload

_NUMBERS: dict[str, Callable[[str], Any]] = {
    "temperature": float,
    "n": int,
    "output_compression": int,
    "partial_images": int,
    "seconds": int,
}
_BOOLEANS = {"true": True, "false": False}
_KEYS = re.compile(r"\[([^\[\]]*)\]")


def payload_of(fields: Sequence[tuple[str, str | FileUpload]]) -> dict[str, Any]:
    """Return the payload of a form.

    ``name[]`` is an item of a list, ``name[key]`` an item of a map. Numbers and ``stream`` have the types of a JSON
    body, every other text stays text.

    Raises:
        HttpError: A value has another type than its field, or two fields contradict each other.
    """
    payload: dict[str, Any] = {}
    for name, value in fields:
        head, keys = _path(name)
        typed = value if keys or isinstance(value, FileUpload) else _typed(head, value)
        try:
            _put(payload, head, keys, typed)
        except (TypeError, AttributeError):
            message = f"The field {name[:100]!r} contradicts an earlier field. Send one of them."
            raise HttpError(400, message, param=head) from None
    return payload


def _path(name: str) -> tuple[str, list[str]]:
    head, bracket, rest = name.partition("[")
    keys = _KEYS.findall(bracket + rest)
    whole = head + "".join(f"[{key}]" for key in keys)
    return (head, keys) if head and whole == name else (name, [])


def _put(target: dict[str, Any], name: str, keys: Sequence[str], value: Any) -> None:
    if not keys:
        if name in target:  # a repeated field is a list, as in a query
            earlier = target[name]
            target[name] = [*earlier, value] if isinstance(earlier, list) else [earlier, value]
        else:
            target[name] = value
    elif keys[0] == "":
        target.setdefault(name, []).append(value)
    else:
        _put(target.setdefault(name, {}), keys[0], keys[1:], value)


def _typed(name: str, text: str) -> Any:
    if name == "stream":
        if text not in _BOOLEANS:
            raise HttpError(400, f"'stream' must be true or false, not {text[:100]!r}.", param=name)
        return _BOOLEANS[text]
    convert = _NUMBERS.get(name)
    if convert is None:
        return text
    try:
        return convert(text)
    except ValueError:
        raise HttpError(400, f"{name!r} must be a number, not {text[:100]!r}.", param=name) from None

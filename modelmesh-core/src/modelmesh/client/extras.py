"""Validation of ``extra_headers``, ``extra_query`` and ``extra_body`` of one request.

The check precedes the first attempt. Otherwise each provider in turn would be charged with a failure that the caller caused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from modelmesh._engine.foundation.bad_requests import bad_request_error
from modelmesh.contracts.headers import unsendable

UNSET = frozenset({"NotGiven", "Omit"})
"""Names of the openai package's types of omitted arguments."""


def is_unset(value: Any) -> bool:
    """Return whether a value stands for an omitted argument."""
    return value is None or type(value).__name__ in UNSET


def mapping(name: str, value: Any) -> dict[str, Any]:
    """Return a map of names to values.

    Raises:
        BadRequestError: The value is not a map, or has a name that is not text.
    """
    if value and not isinstance(value, Mapping):
        why = f"{name!r} must be a map of names to values, not {type(value).__name__}"
        raise bad_request_error(why)
    values = dict(value or {})
    if not all(isinstance(one, str) for one in values):
        why = f"{name!r} must have text as names"
        raise bad_request_error(why)
    return values


def headers(value: Any) -> dict[str, str]:
    """Return the extra headers to send. A header with the value ``None`` is omitted.

    Raises:
        BadRequestError: A header cannot be sent, or only the transport sets it.
    """
    sendable = {}
    for name, item in mapping("extra_headers", value).items():
        if is_unset(item):
            continue
        text = _text(item)
        if text is None:
            why = f"the extra header {name!r} must be text, a number or a boolean, not {type(item).__name__}"
            raise bad_request_error(why)
        fault = unsendable(text, name)
        if fault is None and name.lower() == "accept-encoding":
            fault = "selects the compression of the answer, which only the transport sets"
        if fault is not None:
            why = f"the extra header {name!r} {fault}"
            raise bad_request_error(why)
        sendable[name] = text
    return sendable


def query(value: Any) -> dict[str, str | list[str]]:
    """Return the extra query parameters to send: booleans as in JSON, maps as ``name[key]``, ``None`` omitted.

    Raises:
        BadRequestError: A parameter cannot be sent.
    """
    sendable: dict[str, str | list[str]] = {}
    for name, item in _flat("", mapping("extra_query", value)):
        texts = [_text(one) for one in item] if isinstance(item, list | tuple) else _text(item)
        if texts is None or (isinstance(texts, list) and None in texts):
            why = f"the extra query parameter {name!r} must be text, a number, a boolean, or a list or a map of them"
            raise bad_request_error(why)
        try:
            "".join([name, *(texts if isinstance(texts, list) else [texts])]).encode()
        except UnicodeEncodeError:
            why = f"the extra query parameter {name!r} contains half a character (a lone surrogate)"
            raise bad_request_error(why) from None
        sendable[name] = texts  # type: ignore[assignment]
    return sendable


def _flat(within: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        whole = f"{within}[{name}]" if within else name
        if isinstance(value, Mapping):
            yield from _flat(whole, mapping(whole, value))
        elif not is_unset(value):
            yield whole, value


def body(value: Any, *, model: Any, stream: bool) -> dict[str, Any]:
    """Return the extra fields of the body.

    Args:
        value: The argument of the caller.
        model: The request's ``model``.
        stream: The request's ``stream``.

    Raises:
        BadRequestError: ``model`` or ``stream`` differs from that of the request.
    """
    fields = {name: item for name, item in mapping("extra_body", value).items() if type(item).__name__ not in UNSET}
    if "stream" in fields and fields.pop("stream") is not stream:
        raise bad_request_error("'extra_body' and the request differ in 'stream'. Pass stream= to create()")
    if "model" in fields and fields.pop("model") != model:
        raise bad_request_error(
            "'extra_body' and the request differ in 'model', and the mesh selects the model. Pass model= to create(), "
            "or configure a pool with that model"
        )
    return fields


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def names(name: str, value: Any) -> frozenset[str]:
    """Return a set of names from a list of names or one name.

    Raises:
        BadRequestError: The value is neither.
    """
    found = [value] if isinstance(value, str) else list(value) if isinstance(value, Iterable) else [value] if value else []
    if not all(isinstance(one, str) for one in found):
        why = f"{name!r} must be a list of names, e.g. {name}=['openai']"
        raise bad_request_error(why)
    return frozenset(found)

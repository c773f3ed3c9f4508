"""What a caller adds to one request: headers, query parameters, body fields.

All of it is checked before anything is sent. A provider that got a header or a body that no server takes would be blamed for the
caller's mistake, one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from modelmesh._engine.foundation.failures import FailureClass
from modelmesh.contracts.headers import unsendable
from modelmesh.errors import BadRequestError

UNSET = frozenset({"NotGiven", "Omit"})
"""Names of the openai package's types for "this argument was not given"."""


def wrong(why: str) -> BadRequestError:
    """Return the error of a request that is the caller's mistake."""
    end = "" if why.endswith("?") else "."
    return BadRequestError(f"{why}{end} Nothing was sent.", failure=FailureClass.CALLER, status=400)


def is_unset(value: Any) -> bool:
    """Whether a value stands for "not given"."""
    return value is None or type(value).__name__ in UNSET


def mapping(name: str, value: Any) -> dict[str, Any]:
    """Return a map of names to values.

    Raises:
        BadRequestError: It is none.
    """
    if value and not isinstance(value, Mapping):
        why = f"{name!r} must be a map of names to values, not {type(value).__name__}"
        raise wrong(why)
    found = dict(value or {})
    if not all(isinstance(one, str) for one in found):
        why = f"{name!r} must have names that are text"
        raise wrong(why)
    return found


def headers(value: Any) -> dict[str, str]:
    """Return extra headers as they are sent; one that is ``None`` is left out.

    Raises:
        BadRequestError: One cannot be sent, or is the transport's own.
    """
    found = {}
    for name, given in mapping("extra_headers", value).items():
        if is_unset(given):
            continue
        text = _text(given)
        if text is None:
            why = f"the extra header {name!r} must be text, a number or a boolean, not {type(given).__name__}"
            raise wrong(why)
        fault = unsendable(text, name)
        if fault is None and name.lower() == "accept-encoding":
            fault = "says how the answer is packed, which only the transport may say"
        if fault is not None:
            why = f"the extra header {name!r} {fault}"
            raise wrong(why)
        found[name] = text
    return found


def query(value: Any) -> dict[str, str | list[str]]:
    """Return extra query parameters as they are sent: booleans in JSON's spelling, maps as ``name[key]``, ``None`` left out.

    Raises:
        BadRequestError: One cannot be sent.
    """
    found: dict[str, str | list[str]] = {}
    for name, given in _flat("", mapping("extra_query", value)):
        texts = [_text(one) for one in given] if isinstance(given, list | tuple) else _text(given)
        if texts is None or (isinstance(texts, list) and None in texts):
            why = f"the extra query parameter {name!r} must be text, a number, a boolean, or a list or a map of them"
            raise wrong(why)
        try:
            "".join([name, *(texts if isinstance(texts, list) else [texts])]).encode()
        except UnicodeEncodeError:
            why = f"the extra query parameter {name!r} holds half a character (a lone surrogate)"
            raise wrong(why) from None
        found[name] = texts  # type: ignore[assignment]
    return found


def _flat(within: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        whole = f"{within}[{name}]" if within else name
        if isinstance(value, Mapping):
            yield from _flat(whole, mapping(whole, value))
        elif not is_unset(value):
            yield whole, value


def body(value: Any, *, model: Any, stream: bool) -> dict[str, Any]:
    """Return extra fields of the body.

    Args:
        value: As the caller gave it.
        model: The request's ``model``.
        stream: The request's ``stream``.

    Raises:
        BadRequestError: It says another model, or another kind of answer, than the request does.
    """
    found = {name: given for name, given in mapping("extra_body", value).items() if type(given).__name__ not in UNSET}
    if "stream" in found and found.pop("stream") is not stream:
        raise wrong("'extra_body' says another 'stream' than the request; give stream= to create()")
    if "model" in found and found.pop("model") != model:
        raise wrong(
            "'extra_body' names a model, and the mesh chooses the model, counts it and prices it; give model= to create(), "
            "or make a pool of that model"
        )
    return found


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def names(name: str, value: Any) -> frozenset[str]:
    """Return a set of names, of a list or of one name.

    Raises:
        BadRequestError: It is neither.
    """
    found = [value] if isinstance(value, str) else list(value) if isinstance(value, Iterable) else [value] if value else []
    if not all(isinstance(one, str) for one in found):
        why = f"{name!r} must be a list of names, e.g. {name}=['openai']"
        raise wrong(why)
    return frozenset(found)

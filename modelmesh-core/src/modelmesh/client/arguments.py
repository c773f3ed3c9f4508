"""Conversion of the arguments of a call to a request: every given argument is sent, and no other."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelmesh._engine.foundation.bad_requests import bad_request_error
from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh._engine.foundation.wording import quote_name
from modelmesh.client import extras
from modelmesh.client.attribute_dict import AttributeDict
from modelmesh.client.misspelling import check_unknown, closest
from modelmesh.client.parameters import FILE_ARGUMENTS, FILES_OR_ADDRESSES, OPTION_NAMES, PARAMETER_NAMES
from modelmesh.contracts.call import NO_OPTIONS, Call, CallOptions
from modelmesh.contracts.operations import MODEL_REQUIRED, Operation, OperationScope

if TYPE_CHECKING:
    from modelmesh._engine.mesh import file_arguments as uploads
else:  # of requests with files only
    uploads = LazyModule(globals(), "uploads", "modelmesh._engine.mesh.file_arguments")

LONGEST_TIMEOUT_S = 10 * 365 * 86400.0
"""Longest timeout. A longer one means no limit and is reduced to this value, which every clock can add."""


def make_call(operation: Operation, arguments: Mapping[str, Any], *, strict: bool = False, as_bytes: bool = False) -> Call:
    """Build the call of a request from its parameters and options.

    Args:
        operation: The endpoint.
        arguments: The keyword arguments of the caller. ``None`` means not given, as in OpenAI's signature.
        strict: Whether an unknown parameter is an error.
        as_bytes: Whether to stream a body of bytes, such as audio, in place of returning it.

    Raises:
        BadRequestError: ``model`` or ``messages`` is missing, a value has a type that no vendor accepts, or a file is unreadable.
    """
    files, either = FILE_ARGUMENTS.get(operation.name, ()), FILES_OR_ADDRESSES.get(operation.name, ())
    payload: dict[str, Any] = {}
    options: dict[str, Any] = {}
    known, unknown = PARAMETER_NAMES[operation.name], []
    for name, value in arguments.items():
        is_scalar = value.__class__ in _SCALARS
        if value is None or (not is_scalar and type(value).__name__ in extras.UNSET):
            continue
        if (files and name in files) or (either and name in either and _is_file(value)):
            payload[name] = uploads.to_uploads(name, value)
        else:
            (options if name in OPTION_NAMES else payload)[name] = value if is_scalar else plain(value)
        if name not in known:
            unknown.append(name)
    model, stream, extra = payload.pop("model", None), payload.pop("stream", False), payload.pop("extra_body", None)
    if extra:
        payload.update(extras.body(extra, model=model, stream=bool(stream)))
    model = _model(operation, model, unknown)
    _check(operation, payload, unknown)
    if unknown and known:
        check_unknown(unknown, known, strict=strict)
    streams = bool(stream) or as_bytes or payload.get("stream_format") == "sse"
    if streams and operation.stream is None and known:
        why = f"client.{method_name(operation)}() does not stream. Omit 'stream'"
        raise bad_request_error(why)
    return Call(operation, model, payload, streams, call_options(options) if options else NO_OPTIONS)


def _is_file(value: Any) -> bool:
    """Return whether a value is a file, where an address or an object with an ID may be given in its place."""
    return not isinstance(value, str | Mapping) and not hasattr(value, "model_dump")


def _model(operation: Operation, model: Any, unknown: Sequence[str]) -> str:
    """Return the pool of a request. Operations whose ``model`` is optional have a pool with the name of their capability."""
    if operation.scope is _OF_ACCOUNT:
        return ""
    if model is None and operation.name not in MODEL_REQUIRED:
        return operation.capability
    if not isinstance(model, str) or not model:
        example = operation.capability or "chat-completion"
        why = f"'model' must be the name of a pool or capability, e.g. model={example!r}{_meant('model', unknown)}"
        raise bad_request_error(why)
    return model


def _check(operation: Operation, payload: Mapping[str, Any], unknown: Sequence[str]) -> None:
    """Check presence and type of the required arguments."""
    required = operation.required_arguments
    if "messages" in required and not isinstance(payload.get("messages"), list):
        example = "messages=[{'role': 'user', 'content': 'Hello'}]"
        why = f"'messages' must be a list, e.g. {example}{_meant('messages', unknown)}"
        raise bad_request_error(why)
    for name in required:
        if name not in payload:
            why = f"client.{method_name(operation)}() needs {name!r}{_meant(name, unknown)}"
            raise bad_request_error(why)


def method_name(operation: Operation) -> str:
    """Return the name of the method of an operation, e.g. ``images.generate``. Names of models' resources lack ``create``."""
    last = operation.name.rpartition(".")[2]
    return operation.name if last in _METHODS else f"{operation.name}.create"


_METHODS = frozenset({"cancel", "complete", "content", "create", "delete", "edit", "generate", "list", "parse", "retrieve"})


def _meant(missing: str, unknown: Sequence[str]) -> str:
    """Return a hint for a required argument that was given under a misspelled name."""
    misspelled = next((name for name in unknown if closest(name, (missing,))), None)
    return "" if misspelled is None else f". The call has {misspelled!r}: did you mean {missing!r}?"


_SCALARS = frozenset({str, int, float, bool})
_OF_ACCOUNT = OperationScope.ACCOUNT


def plain(value: Any) -> Any:
    """Return a copy of dictionaries and lists only. Replies and pydantic models become dictionaries."""
    kind = value.__class__
    if kind in _SCALARS or value is None:
        return value
    if kind is dict:
        return {key: item if item.__class__ in _SCALARS else plain(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return list(map(plain, value))
    if isinstance(value, AttributeDict):
        return value.model_dump()
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return _dumped(value, dump)
    if isinstance(value, type) and hasattr(value, "model_json_schema"):
        return value
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, str | int | float):
        return value
    if hasattr(value, "__iter__") and not isinstance(value, bytes):
        return [plain(item) for item in value]
    return value


def _dumped(model: Any, dump: Callable[..., Any]) -> Any:
    """Return the fields set on a pydantic model, and the ``role`` or ``type`` that its class sets."""
    fields = dump(exclude_unset=True, mode="json")
    for name in ("role", "type"):
        value = getattr(model, name, None)
        if isinstance(value, str) and isinstance(fields, dict):
            fields.setdefault(name, value)
    return fields


def call_options(arguments: Mapping[str, Any]) -> CallOptions:
    """Return the options of a call from its arguments that are not part of the body.

    Raises:
        BadRequestError: An option is not valid.
    """
    timeout = arguments.get("timeout")
    return CallOptions(
        headers=extras.headers(arguments.get("extra_headers")),
        query=extras.query(arguments.get("extra_query")),
        timeout=_seconds(timeout),
        session_id=arguments.get("session_id"),
        preferred_provider=arguments.get("preferred_provider"),
        metadata=extras.mapping("routing_metadata", arguments.get("routing_metadata")),
        max_retries=_retries(arguments.get("max_retries")),
        only_providers=extras.names("only_providers", arguments.get("only_providers")),
    )


def _seconds(timeout: Any) -> float | None:
    """Return the seconds of a number, or of the longest part of an httpx timeout."""
    if isinstance(timeout, int | float) and not isinstance(timeout, bool):
        if not 0 < timeout < math.inf:
            why = f"'timeout' must be a positive number of seconds, not {quote_name(timeout)}"
            raise bad_request_error(why)
        return float(min(timeout, LONGEST_TIMEOUT_S))
    if isinstance(timeout, str | bool):
        why = f"'timeout' must be a number of seconds, not {timeout!r}"
        raise bad_request_error(why)
    parts = [
        part for name in ("connect", "read", "write", "pool") if isinstance(part := getattr(timeout, name, None), int | float)
    ]
    return _seconds(max(parts)) if parts else None


def _retries(value: Any) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        why = f"'max_retries' must be a whole number of 0 or more, not {quote_name(value)}"
        raise bad_request_error(why)
    return value

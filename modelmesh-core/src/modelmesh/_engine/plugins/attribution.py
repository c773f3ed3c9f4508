"""Attribution of an error to the plugin that caused it: source location, connector ID and distribution."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary

from modelmesh._engine.foundation.failure_rules import RULES
from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.foundation.secret import Secret
from modelmesh.errors import BrokenConnectorError

OWN_PACKAGES = ("modelmesh", "modelmesh_cdk", "modelmesh_proxy")
"""Import names of our own packages. Their frames are never those of a plugin."""

MAX_TEXT_LENGTH = 300
"""Maximum length of an exception's text in a message."""

_owners: WeakKeyDictionary[type[Any], tuple[str, Callable[[], str]]] = WeakKeyDictionary()


def register_owner(cls: Any, connector_id: str, distribution: Callable[[], str]) -> None:
    """Store the ID and distribution of a class for messages.

    Args:
        cls: The class.
        connector_id: Its connector ID.
        distribution: Returns name and version of its distribution. Only messages call it, because it parses METADATA.
    """
    if inspect.isclass(cls):
        _owners[cls] = (connector_id, distribution)


def class_of(plugin: Any) -> type[Any]:
    """Return the class of a plugin, which may be an object or a class."""
    return plugin if inspect.isclass(plugin) else type(plugin)


def identify(plugin: Any) -> tuple[str, str | None]:
    """Return the connector ID and distribution of a plugin. Unknown values are empty and ``None``."""
    known = _owners.get(class_of(plugin))
    if known is not None:
        return known[0], known[1]()
    stated = getattr(plugin, "id", None)
    return stated if isinstance(stated, str) else "", None


def describe(plugin: Any) -> str:
    """Describe a plugin: ``connector 'acme.llm.v1' of acme-modelmesh 0.1.0 (class Acme, /path/acme.py:7)``."""
    cls, (connector_id, distribution) = class_of(plugin), identify(plugin)
    owner = f" of {distribution}" if distribution else ""
    return f"connector {connector_id!r}{owner} (class {cls.__qualname__}, {locate_definition(cls)})"


def locate_definition(thing: Any) -> str:
    """Return ``file:line`` of a class or function, or its module if the source is not available."""
    thing = inspect.unwrap(thing) if callable(thing) else type(thing)
    code = getattr(thing, "__code__", None)
    if code is not None:
        return f"{code.co_filename}:{code.co_firstlineno}"
    try:
        return f"{inspect.getsourcefile(thing)}:{inspect.findsource(thing)[1] + 1}"
    except Exception:  # noqa: BLE001 - CPython 3.11 cannot always parse a source while another thread parses one
        methods = vars(thing).values() if inspect.isclass(thing) else ()
        codes = [one.__code__ for one in methods if inspect.isfunction(one)]
        first = min(codes, key=lambda code: code.co_firstlineno, default=None)
        return f"{first.co_filename}:{first.co_firstlineno}" if first else f"module {thing.__module__}"


def locate_method(plugin: Any, name: str) -> str:
    """Return ``file:line`` of a plugin's method, or of its class if the method is not a function."""
    cls = class_of(plugin)
    found = getattr(cls, name, None)
    own = hasattr(found, "__code__") and (
        found.__module__.partition(".")[0] not in OWN_PACKAGES or _packages(cls) <= {*OWN_PACKAGES}
    )
    return locate_definition(found if own else cls)


def locate_exception(error: BaseException, plugin: Any = None, *, module: str = "") -> str | None:
    """Return ``file:line`` of the innermost frame of a plugin in a traceback, or ``None``.

    Args:
        error: The exception with its traceback.
        plugin: The plugin.
        module: Module that was being imported, in place of a plugin.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno or 1}"
    names = {module.partition(".")[0]} if module else _packages(class_of(plugin))
    place = None
    for name, line in _frames(error.__traceback__):
        if name.partition(".")[0] in names:
            place = line
    return place


def _packages(cls: type[Any]) -> set[str]:
    names = {base.__module__.partition(".")[0] for base in cls.__mro__ if base is not object}
    return names.difference(OWN_PACKAGES) or names


def _frames(trace: TracebackType | None) -> Iterator[tuple[str, str]]:
    while trace is not None:
        code = trace.tb_frame.f_code
        yield str(trace.tb_frame.f_globals.get("__name__", "")), f"{code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next


def summarize(error: BaseException, *holders: Any) -> str:
    """Return an exception's type and text on one line, truncated and without secrets.

    Args:
        error: The exception.
        holders: Objects and maps. The text is scrubbed of their :class:`Secret` values.
    """
    text = " ".join(str(error).split())
    for holder in holders:
        for secret in _secrets(holder):
            text = secret.scrub(text)
    return f"{type(error).__name__}: {text if len(text) <= MAX_TEXT_LENGTH else text[:MAX_TEXT_LENGTH] + '…'}"


def _secrets(holder: Any, depth: int = 3) -> Iterator[Secret]:
    if isinstance(holder, Secret):
        yield holder
        return
    if depth:
        values = holder.values() if isinstance(holder, Mapping) else getattr(holder, "__dict__", {}).values()
        slots = [getattr(holder, name, None) for name in getattr(type(holder), "__slots__", ()) if name[:2] != "__"]
        for value in (*values, *slots):
            if isinstance(value, Secret | Mapping) or hasattr(value, "__attrs_attrs__"):
                yield from _secrets(value, depth - 1)


def connector_bug(
    plugin: Any, rule: str, place: str | None = None, *, written: bool = True, cause: str = ""
) -> BrokenConnectorError:
    """Build the error of an attempt that failed because of a bug in a connector.

    Args:
        plugin: The provider connector.
        rule: The violation and the correct behaviour, in one or two sentences.
        place: ``file:line`` in the plugin, by default that of its class.
        written: Whether part of the request may have been sent.
        cause: Type of the exception, if there was one.
    """
    connector_id, distribution = identify(plugin)
    kind = FailureClass.CONNECTOR_BUG if written else FailureClass.CONNECTOR_BUG_UNSENT
    at = f"{place}: " if place else ""
    made = BrokenConnectorError(
        f"{at}the {describe(plugin)} {rule} Report this to its author. "
        "Connector authors: run `modelmesh connectors` for details.",
        failure=kind,
        billed=RULES[kind].billed,
        connector_id=connector_id,
        distribution=distribution,
        place=place or locate_definition(class_of(plugin)),
    )
    if cause:
        made.details["cause"] = cause
    return made


def unexpected_exception(plugin: Any, error: BaseException, *, written: bool = True) -> BrokenConnectorError:
    """Build the error of an attempt in which a connector raised an exception that it must not raise."""
    place = locate_exception(error, plugin)
    rule = f"raised {summarize(error, plugin)}. A connector may only raise ProviderError from send(), asend() and its hooks."
    return connector_bug(plugin, rule, place, written=written, cause=type(error).__name__)

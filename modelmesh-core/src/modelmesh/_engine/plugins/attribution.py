"""Whose code it is: the file, the line, the ID and the distribution that a message about a plugin's mistake names."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary

from modelmesh._engine.foundation.failure_rules import RULES
from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.foundation.secret import Secret
from modelmesh.errors import BrokenConnectorError

OWN_PACKAGES = ("modelmesh", "modelmesh_cdk", "modelmesh_proxy")
"""Import names whose frames are never the author's."""

MAX_TEXT_LENGTH = 300
"""Characters of an exception's text that a message repeats."""

_owners: WeakKeyDictionary[type[Any], tuple[str, str]] = WeakKeyDictionary()


def register_owner(cls: Any, connector_id: str, distribution: str) -> None:
    """Note who provides a class, so that a message can say it later without looking at any metadata."""
    if inspect.isclass(cls):
        _owners[cls] = (connector_id, distribution)


def class_of(plugin: Any) -> type[Any]:
    """Return the class of a plugin, which may be given as one."""
    return plugin if inspect.isclass(plugin) else type(plugin)


def identify(plugin: Any) -> tuple[str, str | None]:
    """Return a plugin's connector ID and distribution; the ID is empty and the distribution ``None`` where unknown."""
    cls = class_of(plugin)
    known = _owners.get(cls)
    said = getattr(plugin, "id", None)
    return known or (said if isinstance(said, str) else "", None)


def describe(plugin: Any) -> str:
    """Return who a plugin is: ``connector 'acme.llm.v1' of acme-modelmesh 0.1.0 (class Acme, /path/acme.py:7)``."""
    cls, (connector_id, distribution) = class_of(plugin), identify(plugin)
    owner = f" of {distribution}" if distribution else ""
    return f"connector {connector_id!r}{owner} (class {cls.__qualname__}, {locate_definition(cls)})"


def locate_definition(thing: Any) -> str:
    """Return ``file:line`` of a class or function; its module where the source is not to be had."""
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
    """Return ``file:line`` of a plugin's method, or of its class where the method is not a function."""
    cls = class_of(plugin)
    found = getattr(cls, name, None)
    own = hasattr(found, "__code__") and (
        found.__module__.partition(".")[0] not in OWN_PACKAGES or _packages(cls) <= {*OWN_PACKAGES}
    )
    return locate_definition(found if own else cls)


def locate_exception(error: BaseException, plugin: Any = None, *, module: str = "") -> str | None:
    """Return ``file:line`` of the author's own line that an exception passed last, ``None`` when it passed none.

    Args:
        error: What was raised, with its traceback.
        plugin: Whose lines count.
        module: In place of a plugin: the module that was being imported.
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
    """Return an exception's type and text on one line, cut, without any secret that one of the holders has.

    Args:
        error: What was raised.
        holders: Objects and maps whose :class:`Secret` values must not show.
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
    """Make the error of an attempt that a connector's own mistake ended.

    Args:
        plugin: The provider.
        rule: What was done and what would be right, one sentence or two.
        place: ``file:line`` of the author's line, when it is known better than by the class.
        written: Whether something may have been sent.
        cause: Type of the exception, when there was one.
    """
    connector_id, distribution = identify(plugin)
    kind = FailureClass.CONNECTOR_BUG if written else FailureClass.CONNECTOR_BUG_UNSENT
    at = f"{place}: " if place else ""
    made = BrokenConnectorError(
        f"{at}the {describe(plugin)} {rule} Report this to its author; if that is you: modelmesh connectors",
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
    """Make the error of an attempt in which a connector raised what it may not."""
    place = locate_exception(error, plugin)
    rule = f"raised {summarize(error, plugin)}. A connector may only raise ProviderError from send(), asend() and its hooks."
    return connector_bug(plugin, rule, place, written=written, cause=type(error).__name__)

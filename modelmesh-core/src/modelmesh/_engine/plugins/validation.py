"""Validation of connector classes when they are loaded, before the first call."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakSet

from attrs import frozen

from modelmesh import contracts
from modelmesh._engine.foundation.ids import Kind
from modelmesh._engine.foundation.suggestions import is_misspelling
from modelmesh._engine.plugins import attribution

REQUIRED: dict[Kind, tuple[str, ...]] = {
    Kind.PROVIDER: ("models", "send", "asend"),
    Kind.STRATEGY: ("select",),
    Kind.SECRET_STORE: ("get",),
    Kind.OBSERVABILITY: ("emit", "log"),
    Kind.STORAGE: ("load", "save"),
    Kind.DISCOVERY: ("sync", "probe"),
}
"""Methods that a class of each kind must have. The check at load time names the plugin in its error."""

CONTRACTS = {
    Kind.PROVIDER: "Provider",
    Kind.STRATEGY: "Strategy",
    Kind.SECRET_STORE: "SecretStore",
    Kind.OBSERVABILITY: "Observability",
}
"""Name of the protocol of a kind in :mod:`modelmesh.contracts`, which imports it on first use."""

OPTIONAL_METHODS = {Kind.STRATEGY: ("score", "picked", "succeeded", "failed")}
"""Methods that a class of a kind may have in addition."""

_warned: WeakSet[type[Any]] = WeakSet()


class MisspeltHookWarning(UserWarning):
    """A connector has an unused method or attribute with a name that is almost that of a hook."""


@frozen
class MisspeltHook:
    """An unused name that is almost the name of a hook.

    Attributes:
        name: The name in the source.
        meant: Name of the hook.
        place: ``file:line``.
    """

    name: str
    meant: str
    place: str

    def __str__(self) -> str:
        return (
            f"{self.place}: {self.name!r} is unused and almost the name of the hook {self.meant!r}, which is not overridden. "
            f"Write {self.meant!r} if you mean the hook, or choose another name."
        )


def contract_error(cls: Any, kind: Kind) -> str | None:
    """Return the first violation of the contract by a class, with its place in the source, or ``None``.

    Of a factory function, or of an object in place of a class, only the methods of its kind are checked.
    """
    lacking = [name for name in REQUIRED[kind] if not callable(getattr(cls, name, None))]
    if lacking:
        return _lacking(cls, kind, lacking)
    if not callable(cls):
        place = attribution.locate_definition(type(cls))
        return f"its entry point names an instance of {type(cls).__qualname__} ({place}). Name the class itself."
    if not inspect.isclass(cls):
        return None
    if inspect.isabstract(cls):
        names = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
        place = attribution.locate_definition(cls)
        return f"{place}: class {cls.__qualname__} is abstract: {names} is missing. Write it."
    return next(_misfits(cls, kind), None)


def _lacking(cls: Any, kind: Kind, lacking: list[str]) -> str:
    place = f"{attribution.locate_definition(cls)}: " if inspect.isclass(cls) else ""
    reasons = "".join(
        f" {name} is {_article(getattr(cls, name))}, not a method." for name in lacking if getattr(cls, name, None) is not None
    )
    return (
        f"{place}{cls!r} lacks {', '.join(lacking)}.{reasons} A {kind.label} connector must have "
        f"{', '.join(REQUIRED[kind])}. See modelmesh.contracts."
    )


def _article(value: Any) -> str:
    return f"a {type(value).__name__}"


def _misfits(cls: type[Any], kind: Kind) -> Iterator[str]:
    """Yield the overridden methods that the mesh cannot call, with the reason."""
    for name, (own, base) in _overridden(cls, kind).items():
        place = f"{attribution.locate_definition(own)}: {cls.__qualname__}.{name}"
        if _is_async(own) and not _is_async(base):
            yield f"{place} is async, but the mesh calls it without await. Write 'def {name}', not 'async def {name}'."
            continue
        if _has_parameters_of(own, base):
            continue
        expected = [
            p for p in inspect.signature(base).parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
        try:
            inspect.signature(own).bind(*expected)
        except TypeError as error:
            takes = ", ".join(p.name for p in expected)
            yield f"{place}{inspect.signature(own)} cannot be called as {name}({takes}): {error}. Give it these parameters."


def _has_parameters_of(own: Any, base: Any) -> bool:
    """Return whether a method has the parameters of the method that it overrides, without the slow ``inspect.signature``."""
    if hasattr(own, "__wrapped__") or hasattr(base, "__wrapped__"):
        return False
    mine, theirs = own.__code__, base.__code__
    names: tuple[str, ...] = mine.co_varnames[: mine.co_argcount]
    expected: tuple[str, ...] = theirs.co_varnames[: theirs.co_argcount]
    return not mine.co_kwonlyargcount and names == expected


def _is_async(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _overridden(cls: type[Any], kind: Kind) -> dict[str, tuple[Any, Any]]:
    """Return the author's functions by name, each with the function of ours that it overrides."""
    contract = getattr(contracts, CONTRACTS[kind]) if kind in CONTRACTS else None
    found = {}
    for name in dir(cls):
        if name.startswith("__"):
            continue
        own = inspect.getattr_static(cls, name)
        if not inspect.isfunction(own) or _is_ours(own.__module__):
            continue
        base = next((vars(one)[name] for one in cls.__mro__ if _is_ours(one.__module__) and name in vars(one)), None)
        base = base if base is not None else vars(contract).get(name) if contract else None
        if inspect.isfunction(base):
            found[name] = (own, base)
    return found


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in attribution.OWN_PACKAGES


# -- misspelt hooks -------------------------------------------------------------------------------------------------


def misspelt_hooks(cls: Any, kind: Kind) -> list[MisspeltHook]:
    """Return the unused names of a class that are almost the name of a hook that it does not override."""
    if not inspect.isclass(cls):
        return []
    own = _own_attributes(cls)
    hooks = _hook_names(cls, kind)
    used = {name for value, _ in own.values() for name in _names_in(value)}
    free = sorted(hooks - set(own))
    found = []
    for name, (value, owner) in own.items():
        meant = None if name in hooks or name in used else next((hook for hook in free if is_misspelling(name, hook)), None)
        if meant is not None:
            found.append(MisspeltHook(name, meant, attribution.locate_definition(value if inspect.isfunction(value) else owner)))
    return found


def _own_attributes(cls: type[Any]) -> dict[str, tuple[Any, type[Any]]]:
    """Return the attributes that the author wrote, with the class that has each."""
    written = [one for one in cls.__mro__ if one is not object and not _is_ours(one.__module__)]
    return {name: (value, one) for one in written for name, value in vars(one).items() if not name.startswith("__")}


def _hook_names(cls: type[Any], kind: Kind) -> set[str]:
    """Return every name that the mesh or a base class of ours may call."""
    names = {name for one in cls.__mro__ if _is_ours(one.__module__) for name in vars(one) if not name.startswith("__")}
    if kind in CONTRACTS:
        names |= {name for name in vars(getattr(contracts, CONTRACTS[kind])) if not name.startswith("_")}
    return names | {*OPTIONAL_METHODS.get(kind, ()), *REQUIRED[kind]}


def _names_in(value: Any) -> Iterator[str]:
    """Yield the names that the code of a method uses, nested functions included."""
    function = getattr(value, "__func__", None) or getattr(value, "fget", None) or value
    pending = [code] if (code := getattr(function, "__code__", None)) is not None else []
    while pending:
        one = pending.pop()
        yield from one.co_names
        pending += [inner for inner in one.co_consts if inspect.iscode(inner)]


def warn_of_misspelt_hooks(cls: Any, kind: Kind, owner: Callable[[], str]) -> None:
    """Warn of misspelt hooks, at the line in the plugin, once for each class."""
    if not inspect.isclass(cls) or cls in _warned:
        return
    _warned.add(cls)
    for hook in misspelt_hooks(cls, kind):
        file, _, line = hook.place.rpartition(":")
        text = f"in the {kind.label} connector of {owner()}: {hook}"
        warnings.warn_explicit(text, MisspeltHookWarning, file, int(line) if line.isdigit() else 1)

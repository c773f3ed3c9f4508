"""What can be seen of a connector class before it is ever called: the mistakes that its author is told at once."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any
from weakref import WeakSet

from attrs import frozen

from modelmesh import contracts
from modelmesh._engine.foundation.ids import Kind
from modelmesh._engine.plugins import attribution

REQUIRED: dict[Kind, tuple[str, ...]] = {
    Kind.PROVIDER: ("models", "send", "asend"),
    Kind.STRATEGY: ("select",),
    Kind.SECRET_STORE: ("get",),
    Kind.OBSERVABILITY: ("emit", "log"),
    Kind.STORAGE: ("load", "save"),
    Kind.DISCOVERY: ("sync", "probe"),
}
"""What a class of each kind must be able to do; checked when it is loaded, so that the error names the plugin."""

CONTRACTS: dict[Kind, Any] = {
    Kind.PROVIDER: contracts.Provider,
    Kind.STRATEGY: contracts.Strategy,
    Kind.SECRET_STORE: contracts.SecretStore,
    Kind.OBSERVABILITY: contracts.Observability,
}
OPTIONAL_METHODS = {Kind.STRATEGY: ("score", "picked", "succeeded", "failed")}
"""What a class of a kind may have beside what it must."""

MIN_SIMILARITY = 0.84
"""How alike a name must be to that of a hook to be taken for a slip: one letter of seven, or two swapped of fourteen."""

_warned: WeakSet[type[Any]] = WeakSet()


class MisspeltHookWarning(UserWarning):
    """A connector has a method or attribute that nothing uses, and whose name is almost that of a hook."""


@frozen
class MisspeltHook:
    """A name that is almost that of a hook.

    Attributes:
        name: As it is written.
        meant: The hook.
        place: ``file:line``.
    """

    name: str
    meant: str
    place: str

    def __str__(self) -> str:
        return (
            f"{self.place}: nothing uses {self.name!r}, and it is almost the name of the hook {self.meant!r}, which is not "
            f"overridden. Write {self.meant!r} if that is meant, or another name if it is not."
        )


def contract_error(cls: Any, kind: Kind) -> str | None:
    """Return what is wrong with a class, with the place in its source; ``None`` when nothing is seen.

    A factory function, or an object in place of a class, is only asked for the methods of its kind.
    """
    lacking = [name for name in REQUIRED[kind] if not callable(getattr(cls, name, None))]
    if lacking:
        return _lacking(cls, kind, lacking)
    if not callable(cls):
        place = attribution.locate_definition(type(cls))
        return f"its entry point names an object of class {type(cls).__qualname__} ({place}). Name the class itself."
    if not inspect.isclass(cls):
        return None
    if inspect.isabstract(cls):
        names = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
        place = attribution.locate_definition(cls)
        return f"{place}: class {cls.__qualname__} is abstract: it leaves {names} unwritten. Write what is missing."
    return next(_misfits(cls, kind), None)


def _lacking(cls: Any, kind: Kind, lacking: list[str]) -> str:
    place = f"{attribution.locate_definition(cls)}: " if inspect.isclass(cls) else ""
    odd = "".join(
        f" {name} is {_article(getattr(cls, name))}, and must be a method."
        for name in lacking
        if getattr(cls, name, None) is not None
    )
    return (
        f"{place}{cls!r}, which lacks {', '.join(lacking)}.{odd} A {kind.label} connector must have "
        f"{', '.join(REQUIRED[kind])}; see modelmesh.contracts."
    )


def _article(value: Any) -> str:
    return f"a {type(value).__name__}"


def _misfits(cls: type[Any], kind: Kind) -> Iterator[str]:
    """Yield the overridden methods that cannot be called as the mesh will call them."""
    for name, (mine, base) in _overridden(cls, kind).items():
        place = f"{attribution.locate_definition(mine)}: {cls.__qualname__}.{name}"
        if _waits(mine) and not _waits(base):
            yield f"{place} is async, and is called without await. Write 'def {name}', not 'async def {name}'."
            continue
        asked = [p for p in inspect.signature(base).parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        try:
            inspect.signature(mine).bind(*asked)
        except TypeError as error:
            takes = ", ".join(p.name for p in asked)
            yield f"{place}{inspect.signature(mine)} cannot be called as {name}({takes}): {error}. Give it these parameters."


def _waits(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _overridden(cls: type[Any], kind: Kind) -> dict[str, tuple[Any, Any]]:
    """Plain functions of the author's beside the one of ours that each stands in for."""
    contract = CONTRACTS.get(kind)
    found = {}
    for name in dir(cls):
        if name.startswith("__"):
            continue
        mine = inspect.getattr_static(cls, name)
        if not inspect.isfunction(mine) or _is_ours(mine.__module__):
            continue
        base = next((vars(one)[name] for one in cls.__mro__ if _is_ours(one.__module__) and name in vars(one)), None)
        base = base if base is not None else vars(contract).get(name) if contract else None
        if inspect.isfunction(base):
            found[name] = (mine, base)
    return found


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in attribution.OWN_PACKAGES


# -- slips of the pen -----------------------------------------------------------------------------------------------


def misspelt_hooks(cls: Any, kind: Kind) -> list[MisspeltHook]:
    """Return the names that are almost those of hooks, that no base has, and that nothing in the class uses."""
    if not inspect.isclass(cls):
        return []
    written = [one for one in cls.__mro__ if one is not object and not _is_ours(one.__module__)]
    own = {name: (value, one) for one in written for name, value in vars(one).items() if not name.startswith("__")}
    hooks = {name for one in cls.__mro__ if _is_ours(one.__module__) for name in vars(one) if not name.startswith("__")}
    if kind in CONTRACTS:
        hooks |= {name for name in vars(CONTRACTS[kind]) if not name.startswith("_")}
    hooks |= {*OPTIONAL_METHODS.get(kind, ()), *REQUIRED[kind]}
    used = {name for value, _ in own.values() for name in _names_in(value)}
    free = sorted(hooks - set(own))
    found = []
    for name, (value, one) in own.items():
        if name not in hooks and name not in used:
            meant = next((hook for hook in free if _alike(name, hook)), None)
            if meant is not None:
                place = attribution.locate_definition(value if inspect.isfunction(value) else one)
                found.append(MisspeltHook(name, meant, place))
    return found


def _alike(name: str, hook: str) -> bool:
    if abs(len(name) - len(hook)) > 2:  # noqa: PLR2004 - a letter too few or too many, or two
        return False
    if sorted(name) == sorted(hook):
        return True  # letters swapped
    matcher = SequenceMatcher(None, name.strip("_"), hook.strip("_"))
    return (
        matcher.real_quick_ratio() >= MIN_SIMILARITY
        and matcher.quick_ratio() >= MIN_SIMILARITY
        and matcher.ratio() >= MIN_SIMILARITY
    )


def _names_in(value: Any) -> Iterator[str]:
    function = getattr(value, "__func__", None) or getattr(value, "fget", None) or value
    pending = [code] if (code := getattr(function, "__code__", None)) is not None else []
    while pending:
        one = pending.pop()
        yield from one.co_names
        pending += [inner for inner in one.co_consts if inspect.iscode(inner)]


def warn_of_misspelt_hooks(cls: Any, kind: Kind, owner: str) -> None:
    """Warn of slips, at the author's line; once for each class."""
    if not inspect.isclass(cls) or cls in _warned:
        return
    _warned.add(cls)
    for slip in misspelt_hooks(cls, kind):
        file, _, line = slip.place.rpartition(":")
        text = f"in the {kind.label} connector of {owner}: {slip}"
        warnings.warn_explicit(text, MisspeltHookWarning, file, int(line) if line.isdigit() else 1)

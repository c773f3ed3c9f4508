"""The public API as text: every public name with its signature, for the snapshot that a test compares.

``python tools/public_api.py`` prints it, ``--write`` renews ``tools/public_api.txt``. A change of that file is a change of the
public API, and needs a fragment in ``changelog.d/`` (see ``docs/reference/stability.md``).
"""

from __future__ import annotations

import argparse
import enum
import functools
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SNAPSHOT = Path(__file__).with_suffix(".txt")
MODULES = (
    "modelmesh",
    "modelmesh.errors",
    "modelmesh.exceptions",
    "modelmesh.contracts",
    "modelmesh.capabilities",
    "modelmesh.client",
    "modelmesh.connectors",
    "modelmesh.hooks",
    "modelmesh.testing",
    "modelmesh.cdk",
    "modelmesh.cdk.testing",
)
"""Modules whose ``__all__`` is the public API."""

OWN = ("modelmesh", "modelmesh_cdk")


def describe_api() -> str:
    """Return one block for each public module, one line for each public name and each of its public members."""
    modules = [(name, importlib.import_module(name)) for name in MODULES]
    public = {id(getattr(module, name)) for _, module in modules for name in module.__all__}
    blocks = []
    seen: dict[int, str] = {}
    for name, module in modules:
        lines = [f"# {name}"]
        for own in sorted(module.__all__):
            lines += _lines(own, getattr(module, own), seen, public, f"{name}.{own}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _lines(name: str, value: Any, seen: dict[int, str], public: set[int], path: str) -> Iterator[str]:
    if inspect.ismodule(value):
        yield f"{name}: module"
    elif inspect.isclass(value):
        first = seen.setdefault(id(value), path)
        if first != path:
            yield f"{name} = {first}"
            return
        yield f"class {name}({', '.join(base.__name__ for base in value.__bases__ if base is not object)})"
        yield from (f"    {line}" for line in _members(value, public))
    elif callable(value) and hasattr(value, "__name__"):
        yield f"def {name}{_signature(value)}"
    else:
        yield f"{name}: {type(value).__name__}"


def _members(cls: type, public: set[int]) -> Iterator[str]:
    """Yield the constructor, fields, methods and properties. Those of a public base class are listed there only."""
    if issubclass(cls, enum.Enum):
        yield from (f"{member.name} = {member.value!r}" for member in cls)
        return
    found: dict[str, str] = {}
    for owner in reversed(cls.__mro__):
        if owner.__module__.partition(".")[0] not in OWN or (owner is not cls and id(owner) in public):
            continue
        for name, annotation in vars(owner).get("__annotations__", {}).items():
            if not name.startswith("_"):
                found[name] = f"{name}: {annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)}"
        for name, member in vars(owner).items():
            if name == "__init__" or not name.startswith("_"):
                line = _member(name, member)
                if line:
                    found[name] = line
    yield from (found[name] for name in sorted(found))


def _member(name: str, member: Any) -> str | None:
    if isinstance(member, staticmethod | classmethod):
        return f"{type(member).__name__} {name}{_signature(member.__func__)}"
    if isinstance(member, property):
        return f"property {name} -> {member.fget.__annotations__.get('return', '?')}"
    if isinstance(member, functools.cached_property):
        return f"property {name} -> {member.func.__annotations__.get('return', '?')}"
    if inspect.isfunction(member) and (name != "__init__" or member.__name__ == name):  # a protocol's is typing's own
        return f"{'async ' if inspect.iscoroutinefunction(member) else ''}def {name}{_signature(member)}"
    return None


def _signature(function: Any) -> str:
    """Return the signature, without quotes and addresses."""
    try:
        text = str(inspect.signature(function))
    except (TypeError, ValueError):
        return "(...)"
    return re.sub(r" at 0x[0-9a-f]+", "", " ".join(text.replace("'", "").split()))


def main() -> None:
    """Print the API, or write the snapshot."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help=f"renew {SNAPSHOT.name}")
    text = describe_api()
    if parser.parse_args().write:
        SNAPSHOT.write_text(text, "utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()

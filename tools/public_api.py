"""The public API as text: every public name with its signature, for the snapshot that a test compares.

``python tools/public_api.py`` prints it, ``--write`` renews ``tools/public_api.txt``. A change of that file is a change of the
public API, and needs a fragment in ``changelog.d/`` (see ``docs/reference/stability.md``).

A class in the signature of a public name, or in the annotation of a public field, is public itself or has a reason in
``PRIVATE_CLASSES``. A test checks this.
"""

from __future__ import annotations

import argparse
import ast
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
    "modelmesh.registry",
    "modelmesh.hooks",
    "modelmesh.testing",
    "modelmesh.cdk",
    "modelmesh.cdk.testing",
    "modelmesh_cdk.message_rules",
    "modelmesh_cdk.strategy",
    "modelmesh_cdk.storage",
    "modelmesh_cdk.testing.dialects",
)
"""Modules whose ``__all__`` is the public API."""

OWN = ("modelmesh", "modelmesh_cdk")
SOURCES = ("modelmesh-core/src", "modelmesh-cdk/src")

_RESOURCE = "A resource that is reached through its client, such as client.chat."
_MADE_BY_CORE = "An argument of a constructor or method that only ModelMesh itself calls."
_COMMAND_LINE = "An argument or a result for the command line. Other callers omit it."
_OPERATION = "A part of the mesh for inspection. Its own members are documented, and its class is not stable."
_FIXTURE = "An argument of the kit's own tests, which pytest passes."
_TRANSPORT = "An HTTP transport that tests and the mesh pass to a connector. Authors do not implement one."
_PARSED = "A parsed value. Authors write it as text."

PRIVATE_CLASSES = {
    "Assembler": _MADE_BY_CORE,
    "AsyncAudio": _RESOURCE,
    "AsyncBatches": _RESOURCE,
    "AsyncChat": _RESOURCE,
    "AsyncEmbeddings": _RESOURCE,
    "AsyncFiles": _RESOURCE,
    "AsyncImages": _RESOURCE,
    "AsyncLegacyCompletions": _RESOURCE,
    "AsyncModels": _RESOURCE,
    "AsyncModerations": _RESOURCE,
    "AsyncRerank": _RESOURCE,
    "AsyncResponses": _RESOURCE,
    "AsyncSearch": _RESOURCE,
    "AsyncTransport": _TRANSPORT,
    "AsyncUploads": _RESOURCE,
    "AttemptFailure": _MADE_BY_CORE,
    "BaseClient": "The base of the public MeshClient and OpenAIClient.",
    "Batches": _RESOURCE,
    "Caller": _FIXTURE,
    "Chat": _RESOURCE,
    "CircuitBreaker": _MADE_BY_CORE,
    "Cron": _PARSED,
    "Defaults": _MADE_BY_CORE,
    "Dialect": "The wire format of a conformance test. Authors set its name.",
    "Discoverer": _OPERATION,
    "Embeddings": _RESOURCE,
    "Files": _RESOURCE,
    "History": _FIXTURE,
    "Images": _RESOURCE,
    "LegacyCompletions": _RESOURCE,
    "LimitCounter": _MADE_BY_CORE,
    "LiveHistory": _MADE_BY_CORE,
    "MeshEngine": "The base of the public ModelMesh, which every client has.",
    "MessageRules": "The message rules of a vendor, exported by modelmesh_cdk.message_rules with the classes of its fields.",
    "Models": _RESOURCE,
    "Moderations": _RESOURCE,
    "Pool": "Public as the protocol modelmesh.contracts.PoolView.",
    "Problems": _COMMAND_LINE,
    "Providers": "Another class of that name. The argument of create() is an alias of Mapping and Sequence.",
    "ProxySection": "The settings of the HTTP server, which the package modelmesh-proxy reads.",
    "RealtimeConnection": "made by connect_realtime()",
    "References": _COMMAND_LINE,
    "Refusal": _FIXTURE,
    "RequestMetrics": _MADE_BY_CORE,
    "RequestServer": _MADE_BY_CORE,
    "Rerank": _RESOURCE,
    "Resolver": _COMMAND_LINE,
    "Responses": _RESOURCE,
    "Router": _OPERATION,
    "Search": _RESOURCE,
    "SecretsSection": _COMMAND_LINE,
    "Sections": _COMMAND_LINE,
    "Served": _MADE_BY_CORE,
    "SourceMap": _MADE_BY_CORE,
    "StateManager": _OPERATION,
    "StoredHistory": _MADE_BY_CORE,
    "SystemState": _OPERATION,
    "Transport": _TRANSPORT,
    "Uploads": _RESOURCE,
}
"""Classes in public signatures and fields that are not public, with the reason."""


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


def undeclared_classes() -> dict[str, str]:
    """Return the own classes that public signatures and fields mention and that are neither public nor in ``PRIVATE_CLASSES``.

    Returns:
        One line that mentions it, by the name of the class. Classes are compared by name, because annotations are text.
    """
    public = {name for module in MODULES for name in importlib.import_module(module).__all__}
    private = _own_classes() - public - PRIVATE_CLASSES.keys()
    return {name: line for name, line in _mentions() if name in private}


def unused_exceptions() -> set[str]:
    """Return the entries of ``PRIVATE_CLASSES`` that no public signature or field mentions."""
    return PRIVATE_CLASSES.keys() - {name for name, _ in _mentions()}


def _own_classes() -> set[str]:
    root = Path(__file__).parents[1]
    files = (file for source in SOURCES for file in (root / source).rglob("*.py"))
    return {node.name for file in files for node in ast.parse(file.read_text("utf-8")).body if isinstance(node, ast.ClassDef)}


def _mentions() -> Iterator[tuple[str, str]]:
    """Yield each name in a signature or annotation of the API, with its line. Base classes are not mentions."""
    for line in describe_api().splitlines():
        if not line.startswith(("#", "class ")):
            yield from ((name, line.strip()) for name in re.findall(r"[^\W\d]\w*", line))


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
    declared: set[str] = set()
    for owner in reversed(cls.__mro__):
        if owner.__module__.partition(".")[0] not in OWN or (owner is not cls and id(owner) in public):
            continue
        for name, annotation in vars(owner).get("__annotations__", {}).items():
            declared.add(name)
            if not name.startswith("_"):
                found[name] = f"{name}: {annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)}"
        for name, member in vars(owner).items():
            if isinstance(member, property) and name in declared:
                continue  # a property that implements a declared field, whose annotation has the type
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

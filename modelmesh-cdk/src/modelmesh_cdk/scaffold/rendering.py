"""The folder of a kind, with the names filled in.

A folder below ``templates/`` is a kind. It holds ``template.toml``, which says what is particular about the kind, and the
files that the package gets beside those of ``templates/common``:

* a file ends in ``.tmpl``, so that no tool takes it for what it will become; ``«name»`` stands for a value, and an unknown
  one is an error,
* in paths, ``PACKAGE`` is the import name, ``NAME`` the short name, and ``dot_`` the dot of a hidden file,
* a file whose name begins with ``_`` is a piece: ``_use.md.tmpl`` is what ``«use»`` stands for in the common files.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

from attrs import frozen

import modelmesh_cdk
from modelmesh.contracts import Kind

SUFFIX = ".tmpl"
WIDTH = 88
"""Columns after which formatters fold an import by default."""

_HERE = PurePosixPath()
_VALUE = re.compile(r"«(\w+)»")


@frozen
class Template:
    """What ``template.toml`` says of a kind.

    Attributes:
        name: Name of the folder, which is what is typed: ``secret-store``.
        kind: The kind of connector.
        summary: What it makes, on one line.
        prefix: Names of distributions begin with it: ``modelmesh-connector``.
        module: Name of the module that holds the class.
        suffix: Last part of the class's name.
        service: Second part of the ID when nobody says another.
        description: Of the distribution; ``«title»`` stands for its name.
        options: What can be said of this kind beyond what can be said of all.
    """

    name: str
    kind: Kind
    summary: str
    prefix: str
    module: str
    suffix: str
    service: str
    description: str
    options: tuple[str, ...] = ()


def _root() -> Traversable:
    return files("modelmesh_cdk.scaffold").joinpath("templates")


@cache
def templates() -> dict[str, Template]:
    """Return the kinds that there are templates for, by name, in the order of :class:`~modelmesh._engine.foundation.ids.Kind`."""
    found = []
    for folder in _root().iterdir():
        said = folder.joinpath("template.toml")
        if folder.is_dir() and said.is_file():
            facts = tomllib.loads(said.read_text("utf-8"))
            options = tuple(facts.pop("options", ()))
            found.append(Template(name=folder.name, kind=Kind(facts.pop("kind")), options=options, **facts))
    return {one.name: one for one in sorted(found, key=lambda one: list(Kind).index(one.kind))}


def render(template: Template, values: Mapping[str, str]) -> dict[str, str]:
    """Return the text of every file of a package, by its path in it, in order.

    Args:
        template: The kind.
        values: What stands for each ``«name»``; ``package`` and ``file_name`` also go into paths.

    Raises:
        KeyError: A template names a value that there is none of.
    """
    texts = dict(_walk(_root().joinpath(template.name)))
    pieces = {path.name[1:].partition(".")[0]: fill(text, values) for path, text in texts.items() if path.name.startswith("_")}
    whole = {path: text for path, text in texts.items() if not path.name.startswith("_")}
    known = {**values, "pyproject": "", **pieces}
    common = dict(_walk(_root().joinpath("common")))
    made = {_target(path, values): fill(text, known) for path, text in {**common, **whole}.items()}
    return dict(sorted(made.items()))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its ``«name»`` replaced, once: values are not searched for more of them."""
    return _VALUE.sub(lambda match: values[match[1]], text)


def import_line(module: str, name: str) -> str:
    """Return ``from module import name`` as formatters write it."""
    line = f"from {module} import {name}"
    return line if len(line) <= WIDTH else f"from {module} import (\n    {name},\n)"


def kit_range() -> str:
    """Return the versions of the kit that a package made with this one is for: ``>=0.1,<0.2``."""
    major, minor = (int(part) for part in modelmesh_cdk.__version__.split(".")[:2])
    return f">={major}.{minor},<{major}.{minor + 1}" if major == 0 else f">={major}.{minor},<{major + 1}"


def _walk(folder: Traversable, path: PurePosixPath = _HERE) -> Iterator[tuple[PurePosixPath, str]]:
    for one in folder.iterdir():
        if one.is_dir():
            yield from _walk(one, path / one.name)
        elif one.name.endswith(SUFFIX):
            yield path / one.name.removesuffix(SUFFIX), one.read_text("utf-8")


def _target(path: PurePosixPath, values: Mapping[str, str]) -> str:
    hidden = re.sub(r"(?<![^/])dot_", ".", str(path))
    return hidden.replace("PACKAGE", values["package"]).replace("NAME", values["file_name"])

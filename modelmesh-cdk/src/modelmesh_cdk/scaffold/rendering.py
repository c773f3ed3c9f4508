"""Rendering of the templates of a kind.

A folder below ``templates/`` is a kind. It contains ``template.toml`` with the facts of the kind, and its files in addition
to those of ``templates/common``:

* A file ends in ``.tmpl``, so that no tool treats it as its target. ``«name»`` is a placeholder. An unknown one is an error.
* In paths, ``PACKAGE`` is the import name, ``NAME`` the short name, and ``dot_`` the dot of a hidden file.
* A file whose name begins with ``_`` is a fragment: ``_use.md.tmpl`` is the value of ``«use»`` in the common files.

Jinja2 would replace only :func:`fill`, a line, and every connector installs the kit. Copier would add 21 packages (9.19.1,
resolved 2026-11-30).
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

from modelmesh.contracts import Kind
from modelmesh_cdk.version import __version__

SUFFIX = ".tmpl"
WIDTH = 88
"""Line length at which formatters fold an import by default."""

_HERE = PurePosixPath()
_VALUE = re.compile(r"«(\w+)»")


@frozen
class Template:
    """Facts of a kind from ``template.toml``.

    Attributes:
        name: Name of the folder and of the command: ``secret-store``.
        kind: Kind of connector.
        summary: Description in one line.
        prefix: Prefix of the distribution's name: ``modelmesh-connector``.
        module: Name of the module that contains the class.
        suffix: Last part of the class's name.
        service: Default of the second part of the ID.
        description: Description of the distribution. ``«title»`` is the placeholder of its name.
        options: Command options of this kind.
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
    """Return the templates by name, in the order of :class:`~modelmesh.contracts.Kind`."""
    found = []
    for folder in _root().iterdir():
        facts_file = folder.joinpath("template.toml")
        if folder.is_dir() and facts_file.is_file():
            facts = tomllib.loads(facts_file.read_text("utf-8"))
            options = tuple(facts.pop("options", ()))
            found.append(Template(name=folder.name, kind=Kind(facts.pop("kind")), options=options, **facts))
    return {one.name: one for one in sorted(found, key=lambda one: list(Kind).index(one.kind))}


def render(template: Template, values: Mapping[str, str]) -> dict[str, str]:
    """Return the text of every file of a package by its path, in order.

    Args:
        template: Template of the kind.
        values: Values of the placeholders. ``package`` and ``file_name`` are also used in paths.

    Raises:
        KeyError: A template has an unknown placeholder.
    """
    texts = dict(_walk(_root().joinpath(template.name)))
    pieces = {path.name[1:].partition(".")[0]: fill(text, values) for path, text in texts.items() if path.name.startswith("_")}
    whole = {path: text for path, text in texts.items() if not path.name.startswith("_")}
    known = {**values, "pyproject": "", **pieces}
    common = dict(_walk(_root().joinpath("common")))
    made = {_target(path, values): fill(text, known) for path, text in {**common, **whole}.items()}
    return dict(sorted(made.items()))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its placeholders replaced. Placeholders in values are kept."""
    return _VALUE.sub(lambda match: values[match[1]], text)


def import_line(module: str, name: str) -> str:
    """Return ``from module import name`` as formatters write it."""
    line = f"from {module} import {name}"
    return line if len(line) <= WIDTH else f"from {module} import (\n    {name},\n)"


def kit_range() -> str:
    """Return the version range of the kit for a new package: ``>=0.1,<0.2``."""
    major, minor = (int(part) for part in __version__.split(".")[:2])
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

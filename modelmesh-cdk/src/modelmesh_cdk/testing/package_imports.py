"""Private imports in the package of a connector.

``docs/reference/stability.md`` defines the public names. A private name may change in any release, so a package that imports one
may fail after a patch release of core or of the kit.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

CORE, KIT = "modelmesh", "modelmesh_cdk"

PUBLIC_KIT_PACKAGES = frozenset(
    {
        KIT,
        f"{KIT}.message_rules",
        f"{KIT}.storage",
        f"{KIT}.strategy",
        f"{KIT}.testing",
        f"{KIT}.testing.dialects",
    }
)
"""Packages of the kit whose ``__all__`` is public. All other modules of the kit are private."""


def sources_of(module: str) -> list[Path]:
    """Return the source files of the package that contains a module, or of the module itself outside a package.

    A package is a folder with an ``__init__.py``. Folders above it, such as a namespace package, belong to other distributions
    too and are not read.
    """
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):  # a module without a spec, such as __main__
        return []
    if spec is None or not spec.has_location or spec.origin is None:
        return []
    file = Path(spec.origin)
    package = None
    for folder in file.parents:
        if not (folder / "__init__.py").is_file():
            break
        package = folder
    files = [file] if package is None else package.rglob("*.py")
    return sorted(one for one in files if one.suffix == ".py" and one.is_file())


def private_imports(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of each import of a private name of core or kit."""
    for node in ast.walk(ast.parse(file.read_bytes(), str(file))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if _is_private_module(alias.name))
        elif isinstance(node, ast.ImportFrom) and node.module is not None and not node.level:
            if _is_private_module(node.module):
                yield node.lineno, node.module
            else:
                names = (alias.name for alias in node.names)
                yield from ((node.lineno, f"{node.module}.{name}") for name in names if _is_private_name(node.module, name))


def _is_private_module(module: str) -> bool:
    root, *rest = module.split(".")
    if root == KIT:
        return module not in PUBLIC_KIT_PACKAGES
    return root == CORE and (any(part.startswith("_") for part in rest) or rest[:1] == ["cli"])


def _is_private_name(module: str, name: str) -> bool:
    root = module.partition(".")[0]
    if root == KIT:
        public = importlib.import_module(module).__all__
        return name != "*" and name not in public and f"{module}.{name}" not in PUBLIC_KIT_PACKAGES
    return root == CORE and not name.startswith("__") and _is_private_module(f"{module}.{name}")

"""Model catalogue of a connector: dated data in its ``models.json``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from pkgutil import get_data
from typing import Any

from modelmesh._engine.config.schema import FEATURES
from modelmesh._engine.foundation.suggestions import did_you_mean
from modelmesh._engine.plugins import attribution
from modelmesh.capabilities.nodes import standard_tree
from modelmesh.contracts.models import ModelInfo
from modelmesh.errors import ConfigurationError, ConnectorLoadError
from modelmesh_cdk.provider.price_rows import read_price

_FIELDS = ("id", "upstream", "capabilities", "features", "delivery", "context_window", "max_output_tokens")
_ALMOST = 0.93
"""Similarity above which a custom capability path counts as a misspelled standard path."""


def read_row(row: Mapping[str, Any], *, source: str | None = None, as_of: str | None = None) -> ModelInfo:
    """Read one row.

    Args:
        row: ``id`` and the known facts. ``pricing`` is in USD per 1,000 tokens.
        source: Source of the catalogue, for rows without a source.
        as_of: Date of the catalogue, for rows without a date.
    """
    known = {name: row[name] for name in _FIELDS if name in row}
    price = row.get("pricing")
    if price:
        known["pricing"] = read_price(price, source=source, as_of=as_of)
    extra = {name: value for name, value in row.items() if name not in (*_FIELDS, "pricing")}
    return ModelInfo(**known, extra={"source": source, "as_of": as_of, **extra})


def read_configured(rows: Iterable[Any], shipped: Sequence[ModelInfo]) -> tuple[ModelInfo, ...]:
    """Read the models of a provider's settings.

    Args:
        rows: IDs, maps or ``ModelInfo``. An ID of the connector's catalogue gets its row.
        shipped: The connector's catalogue.
    """
    known = {info.id: info for info in shipped}
    found = []
    for row in rows:
        if isinstance(row, ModelInfo):
            found.append(row)
        elif isinstance(row, str):
            found.append(known.get(row) or ModelInfo(row, row))
        else:
            found.append(read_row(row, source="configuration"))
    return tuple(found)


def load_catalogue(package: str, owner: Any = None) -> tuple[ModelInfo, ...]:
    """Return the models of ``models.json`` in a package, none without that file.

    Args:
        package: Import name, for example ``modelmesh_connector_groq``.
        owner: The connector class, for messages.

    Raises:
        ConnectorLoadError: The file is invalid. The message contains file and line.
    """
    module = sys.modules.get(package)
    if module is None or not hasattr(module, "__path__"):
        return ()
    try:
        return _read(package, str(module.__file__))
    except _InvalidFileError as error:
        place, why = error.args
        connector_id, distribution = attribution.identify(owner) if owner is not None else ("", None)
        whose = f"the models of {connector_id!r}{f' of {distribution}' if distribution else ''}: " if connector_id else ""
        message = f"{place}: {whose}{why} Correct it and look again: modelmesh connectors"
        raise ConnectorLoadError(message, connector_id=connector_id, distribution=distribution) from None


class _InvalidFileError(Exception):
    """Place and description of a mistake in a file."""


@cache
def _read(package: str, place_of_package: str) -> tuple[ModelInfo, ...]:
    found = _data(package)
    if found is None:
        return ()
    file, text = Path(place_of_package).with_name("models.json"), found.decode("utf-8")
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        place, why = f"{file}:{error.lineno}:{error.colno}", f"the file is not JSON: {error.msg}."
        raise _InvalidFileError(place, why) from None
    wrong = _first_mistake(data)
    if wrong is not None:
        place = f"{file}:{_line_of(text, wrong[0])}"
        raise _InvalidFileError(place, wrong[1])
    return tuple(read_row(row, source=data.get("source"), as_of=data.get("as_of")) for row in data["models"])


def _data(package: str) -> bytes | None:
    """Return the content of ``models.json``. :mod:`importlib.resources` takes longer to import than everything else here."""
    try:
        return get_data(package, "models.json")
    except OSError:
        return None


_SHAPE = 'The file is {"source": "where it was read", "as_of": "YYYY-MM-DD", "models": [{"id": "…"}]}.'


def require_catalogue(provider: Any) -> None:
    """Check that a connector without another source of models has a ``models.json``.

    Raises:
        ConnectorLoadError: The file is missing.
    """
    package = attribution.class_of(provider).__module__.partition(".")[0]
    module = sys.modules.get(package)
    connector_id, distribution = attribution.identify(provider)
    if module is not None and hasattr(module, "__path__"):
        if _data(package) is not None:
            return
        why = (
            f"there is no models.json in the package {package!r}. If your source has one, the wheel lacks it: a build backend "
            "packs data files only on request (hatchling packs every file of a package, setuptools needs package-data)"
        )
    else:
        why = (
            f"{package!r} is a single module, and models.json is read from the folder of a package: make it {package}/__init__.py"
        )
    message = (
        f"the {attribution.describe(provider)} has no list of models: {why}. Or override models(), derive from QuickProvider, "
        "which reads the vendor's list, or name models in the configuration: models: [NAME]"
    )
    raise ConnectorLoadError(message, connector_id=connector_id, distribution=distribution)


# -- validation -----------------------------------------------------------------------------------------------------


def _first_mistake(data: Any) -> tuple[int | str, str] | None:
    """Return row number or key and description of the first mistake, ``None`` without one."""
    rows = data.get("models") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        return ("models" if isinstance(data, dict) else "", f"it has no list 'models'. {_SHAPE}")
    seen: set[str] = set()
    for number, row in enumerate(rows):
        why = _mistake_of_row(row, data) or (f"the ID {row['id']!r} stands twice." if row["id"] in seen else None)
        if why is not None:
            return number, why
        seen.add(row["id"])
    return None


def _mistake_of_row(row: Any, data: Mapping[str, Any]) -> str | None:
    if not isinstance(row, dict) or not isinstance(row.get("id"), str) or not row["id"]:
        return f"a model must be an object with an 'id'. {_SHAPE}"
    name = row["id"]
    source, as_of = (row.get(key, data.get(key)) for key in ("source", "as_of"))
    if not source or not _is_day(as_of):
        return (
            f"the model {name!r} is undated: it needs a 'source' and the day it was read as 'as_of', YYYY-MM-DD, here or "
            f"once for the file; they are {source!r} and {as_of!r}."
        )
    if unknown := next(_unknown_keys(row), None):
        return f"{unknown[0]} of the model {name!r} is unknown.{unknown[1]}"
    for key, kind in _KINDS.items():
        if row.get(key) is not None and not isinstance(row[key], kind):
            return f"{key!r} of the model {name!r} must be {_WORDS[kind]}, not {json.dumps(row[key])}."
    if row.get("pricing"):
        try:
            read_price(row["pricing"])
        except ConfigurationError as error:
            return (
                error.message if repr(name) in error.message else f"the model {name!r} has no price that can be: {error.message}"
            )
    return next(filter(None, (_mistake_of_capability(one, name) for one in row.get("capabilities") or ())), None)


def _unknown_keys(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the unknown keys of a row with hints. Custom facts begin with ``x-``, sources and notes end with a known suffix."""
    for known, below in ((ROW_KEYS, row), (FEATURES, row.get("features")), (DELIVERY, row.get("delivery"))):
        for key in below if isinstance(below, Mapping) else ():
            if key not in known and not key.startswith("x-") and not key.endswith(_REMARKS):
                where = "" if known is ROW_KEYS else "features." if known is FEATURES else "delivery."
                hint = did_you_mean(key, known)
                yield repr(f"{where}{key}"), f"{hint} Known: {', '.join(known)}. Names of custom facts begin with 'x-'."


ROW_KEYS = (
    *_FIELDS, "pricing", "source", "as_of", "free_tier", "dimensions", "trained_context", "license", "end_of_life", "equivalent",
    "created",
)  # fmt: skip
_REMARKS = ("_source", "_as_of", "_note")
DELIVERY = ("synchronous", "streaming", "batch")

_KINDS: dict[str, type] = {
    "upstream": str,
    "capabilities": list,
    "features": dict,
    "delivery": dict,
    "context_window": int,
    "max_output_tokens": int,
    "pricing": dict,
}
_WORDS = {str: "a string", list: "a list", dict: "an object", int: "a whole number"}


_standard_tree = cache(standard_tree)
"""One tree for all rows, which nothing here changes."""


def _mistake_of_capability(capability: Any, model: str) -> str | None:
    tree = _standard_tree()
    if not isinstance(capability, str):
        return f"'capabilities' of the model {model!r} must be a list of strings."
    if tree.get_node(capability) is not None:
        return None
    from difflib import SequenceMatcher  # noqa: PLC0415 - only for a mistake

    near = tree.suggest(capability.rpartition(".")[2])
    node = tree.get_node(near) if near else None
    if "." in capability and (node is None or SequenceMatcher(None, capability, node.path).ratio() < _ALMOST):
        return None  # a custom capability
    hint = f" Did you mean {(node.path if '.' in capability and node else near)!r}?" if near else ""
    return (
        f"the model {model!r} has the unknown capability {capability!r}.{hint} List them: modelmesh capabilities. "
        "A custom capability needs a dotted path."
    )


def _is_day(text: object) -> bool:
    try:
        return bool(date.fromisoformat(str(text)))
    except ValueError:
        return False


def _line_of(text: str, place: int | str) -> int:
    """Return the line of a key, or the first line of a row."""
    if isinstance(place, str):
        return text.count("\n", 0, max(text.find(f'"{place}"'), 0)) + 1
    decoder, at = json.JSONDecoder(), text.index("[", text.index('"models"')) + 1
    for _ in range(place + 1):
        while text[at] in " \t\r\n,":
            at += 1
        start = at
        at = decoder.raw_decode(text, at)[1]
    return text.count("\n", 0, start) + 1

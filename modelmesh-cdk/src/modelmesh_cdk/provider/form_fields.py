"""Fields of forms and queries, named as the openai package names them.

``timestamp_granularities=["word"]`` becomes ``timestamp_granularities[]``, ``chunking_strategy={"type": "auto"}`` becomes
``chunking_strategy[type]``, and a parameter of ``None`` is not sent (openai 3.52.0, ``_qs.py``, ``_base_client.py``,
read 2026-11-30).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from modelmesh.contracts.files import FileUpload

Field = tuple[str, str | FileUpload]


def form_fields(payload: Mapping[str, Any], list_suffix: str = "[]") -> list[Field]:
    """Return the fields of a multipart form: the texts, then the files.

    Args:
        payload: The parameters.
        list_suffix: What follows the name of a list.
    """
    fields = [field for name, value in payload.items() for field in _flatten(name, value, list_suffix)]
    return sorted(fields, key=lambda field: isinstance(field[1], FileUpload))


def query_fields(payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the parameters of a query."""
    return [(name, str(value)) for name, value in form_fields(payload)]


def _flatten(name: str, value: Any, list_suffix: str) -> Iterator[Field]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flatten(f"{name}[{key}]", item, list_suffix)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _flatten(f"{name}{list_suffix}", item, list_suffix)
    elif isinstance(value, FileUpload):
        yield name, value
    elif value is not None:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)

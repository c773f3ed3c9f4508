"""Rows of a vendor's model list: functions for the hooks that read one page of it.

A row contains what the vendor states. Nothing is guessed from a model's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from modelmesh.capabilities.nodes import standard_tree
from modelmesh.contracts.models import ModelInfo

WINDOWS = ("context_window", "context_length", "max_model_len")
"""Fields of the context window in OpenAI's format: Groq's, OpenRouter's and Together's, vLLM's, read 2026-11-21."""

OUTPUT_LIMITS = ("max_output_tokens", "max_completion_tokens")
"""Fields of the output limit. The second is Groq's name."""

RowReader = Callable[[Mapping[str, Any]], ModelInfo | None]


def read_rows(data: Any, key: str, read: RowReader) -> tuple[ModelInfo, ...]:
    """Read one page: a list, or an object with a list under a key.

    Args:
        data: The decoded page.
        key: Key of the list.
        read: Reads one row, which is a map. ``None`` skips the row.

    Raises:
        ValueError: The page has no list, or no row of the list is a model.
    """
    rows = data
    if isinstance(data, Mapping):
        rows = data.get(key)
        if rows is None and data.get("object") == "list" and key in data:
            rows = []  # Ollama's form of a list without models (openai/openai.go, ToListCompletion, read 2026-11-21)
    if not isinstance(rows, list):
        message = "the answer holds no list of models"
        raise ValueError(message)  # noqa: TRY004 - what the vendor sent is wrong, not a type of the caller's
    found = [info for info in (read(row) for row in rows if isinstance(row, Mapping)) if info is not None]
    if rows and not found:
        message = f"of the {len(rows)} rows in its list of models none names one"
        raise ValueError(message)
    return tuple(found)


def make_row(
    name: Any,
    source: str,
    *,
    capabilities: Iterable[Any] = (),
    features: Mapping[str, Any] | None = None,
    context_window: Any = None,
    max_output_tokens: Any = None,
) -> ModelInfo | None:
    """Return the row of a model that only the vendor's list contains. Invalid values are unknown.

    Args:
        name: The vendor's name of the model. An invalid name gives no row.
        source: Address of the list.
        capabilities: Names of capabilities. Unknown names are ignored.
        features: Features by name. Values other than true and false are ignored.
        context_window: Tokens of the context window.
        max_output_tokens: Output tokens of one answer.
    """
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)  # some self-hosted servers number their models
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        return None
    tree = standard_tree()
    known: dict[str, None] = {one: None for one in capabilities if isinstance(one, str) and tree.get_node(one) is not None}
    return ModelInfo(
        id=name,
        capabilities=tuple(known),  # type: ignore[arg-type] # mypy cannot see attrs' converter
        features={feature: stated for feature, stated in (features or {}).items() if isinstance(stated, bool)},
        context_window=_tokens(context_window),
        max_output_tokens=_tokens(max_output_tokens),
        extra={"source": source, "as_of": datetime.now(tz=UTC).date().isoformat()},
    )


def read_openai_row(data: Mapping[str, Any], source: str) -> ModelInfo | None:
    """Return a row of a list in OpenAI's format: ``id``, and the further fields of some vendors."""
    stated = data.get("capabilities")
    return make_row(
        data.get("id"),
        source,
        capabilities=stated if isinstance(stated, list) else (),
        context_window=next(filter(None, map(data.get, WINDOWS)), None),
        max_output_tokens=next(filter(None, map(data.get, OUTPUT_LIMITS)), None),
    )


def map_capabilities(words: Any, table: Mapping[str, str]) -> tuple[str, ...]:
    """Return the capabilities of a vendor's words. Words outside the table are ignored."""
    known = [table[word] for word in words if isinstance(word, str) and word in table] if isinstance(words, list) else []
    return tuple(dict.fromkeys(known))


def contains(words: Any, word: str) -> bool | None:
    """Return whether a vendor's list contains a word, ``None`` without a list."""
    return word in words if isinstance(words, list) else None


def submap(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the map under a key, empty when there is none."""
    found = data.get(key)
    return found if isinstance(found, Mapping) else {}


def show_url(url: str) -> str:
    """Return an address for messages, without its query and without user name and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _tokens(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None

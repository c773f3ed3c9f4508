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
"""Where lists in OpenAI's format state the context window: Groq's, OpenRouter's and Together's, vLLM's; read 2026-11-21."""

LONGEST = ("max_output_tokens", "max_completion_tokens")
"""Where they state the longest answer; the second is Groq's name."""

RowReader = Callable[[Mapping[str, Any]], ModelInfo | None]


def read_rows(data: Any, key: str, read: RowReader) -> tuple[ModelInfo, ...]:
    """Read one page: the list that it is, or that stands under a key.

    Args:
        data: The page, decoded.
        key: Where its list is.
        read: Reads one row, which is a map; ``None`` leaves it out.

    Raises:
        ValueError: There is no list, or one of which no row is a model.
    """
    rows = data
    if isinstance(data, Mapping):
        rows = data.get(key)
        if rows is None and data.get("object") == "list" and key in data:
            rows = []  # as Ollama writes a list without models (openai/openai.go, ToListCompletion; read 2026-11-21)
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
    """Make the row of a model of which only the vendor's list is known; what it does not state as it should is unknown.

    Args:
        name: The vendor's; what is no name gives no row.
        source: Address of the list.
        capabilities: Names; those that are in no tree are left out.
        features: ConnectorReport where they are yes or no.
        context_window: Tokens.
        max_output_tokens: Tokens.
    """
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)  # servers of one's own number their models
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        return None
    tree = standard_tree()
    known: dict[str, None] = {one: None for one in capabilities if isinstance(one, str) and tree.get_node(one) is not None}
    return ModelInfo(
        id=name,
        capabilities=tuple(known),  # type: ignore[arg-type] # mypy cannot see attrs' converter
        features={feature: said for feature, said in (features or {}).items() if isinstance(said, bool)},
        context_window=_tokens(context_window),
        max_output_tokens=_tokens(max_output_tokens),
        extra={"source": source, "as_of": datetime.now(tz=UTC).date().isoformat()},
    )


def read_openai_row(data: Mapping[str, Any], source: str) -> ModelInfo | None:
    """Make a row of one in OpenAI's format, which has an ``id``, and in some vendors' lists a little more."""
    stated = data.get("capabilities")
    return make_row(
        data.get("id"),
        source,
        capabilities=stated if isinstance(stated, list) else (),
        context_window=next(filter(None, map(data.get, WINDOWS)), None),
        max_output_tokens=next(filter(None, map(data.get, LONGEST)), None),
    )


def map_capabilities(words: Any, table: Mapping[str, str]) -> tuple[str, ...]:
    """Return the capabilities that a vendor's words stand for, by a table of those that are known."""
    known = [table[word] for word in words if isinstance(word, str) and word in table] if isinstance(words, list) else []
    return tuple(dict.fromkeys(known))


def contains(words: Any, word: str) -> bool | None:
    """Return whether a vendor's list of words has one; ``None`` when there is no such list."""
    return word in words if isinstance(words, list) else None


def submap(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the map under a key, empty when there is none."""
    found = data.get(key)
    return found if isinstance(found, Mapping) else {}


def show_url(url: str) -> str:
    """Return an address as it may be shown: without its query and without a user's name or password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _tokens(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None

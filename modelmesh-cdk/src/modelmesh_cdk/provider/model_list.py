"""The list of models that a vendor publishes: read page by page, and brought into rows of a catalogue.

What the catalogue knows is the catalogue's row, to the letter, so that who compares finds nothing changed that did not
change. Of all else stands here what the vendor states, and nothing is guessed from a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlencode, urlsplit

from modelmesh._engine.plugins import attribution
from modelmesh.capabilities.nodes import standard_tree
from modelmesh.contracts import FailureClass
from modelmesh.contracts.call import Limits
from modelmesh.contracts.models import ModelInfo
from modelmesh.errors import ProviderError
from modelmesh_cdk.provider.failures import failure, scrubbed

if TYPE_CHECKING:
    from modelmesh_cdk.provider.base import BaseProvider

LIST_LIMITS = Limits(connect=5.0, first_content=10.0, gap=10.0, answer=10.0, total=30.0)
"""How long a list may take when nobody says: each page as long as an answer, all of them together the total."""

MAX_PAGES = 100
MAX_ROWS = 20_000
"""Of one list; who sends more does not know its own end, and half a list would call the other half gone."""

WINDOWS = ("context_window", "context_length", "max_model_len")
"""Where lists in OpenAI's format state the context window: Groq's, OpenRouter's and Together's, vLLM's; read 2026-11-21."""

LONGEST = ("max_output_tokens", "max_completion_tokens")
"""Where they state the longest answer; the second is Groq's name."""

RowReader = Callable[[Mapping[str, Any]], ModelInfo | None]


def discovered(provider: BaseProvider, limits: Limits) -> tuple[ModelInfo, ...]:
    """Ask a provider's vendor for all pages of its list; see :meth:`BaseProvider.discover_models`.

    Raises:
        ProviderError: There is no list, or no end of it.
    """
    if not provider.list_path:
        message = f"{provider.id} knows no list of models to ask its vendor for. Nothing was sent."
        raise ProviderError(message, failure=FailureClass.CONNECT)
    told: list[ModelInfo] = []
    for rows in _pages(provider, limits):
        told += rows
        if len(told) > MAX_ROWS:
            _no_end(f"it has more than {MAX_ROWS} rows")
    known = _known(provider)
    found: dict[str, ModelInfo] = {}
    for info in told:
        for row in known.get(info.name) or known.get(info.id) or (info,):
            found.setdefault(row.id, row)
    for row in provider._unlisted_models():  # noqa: SLF001 - a hook
        found.setdefault(row.id, row)
    return tuple(found.values())


def _pages(provider: BaseProvider, limits: Limits) -> Iterable[Sequence[ModelInfo]]:
    url: Any = provider._get_list_endpoint()  # noqa: SLF001 - a hook
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise provider._misused("_get_list_endpoint", url, "a whole address")  # noqa: SLF001 - its own error
    end = monotonic() + limits.total
    address, asked = url, {url}
    for _ in range(MAX_PAGES):
        left = end - monotonic()
        if left <= 0:
            message = f"the list of models was not read to its end in {limits.total:g} s"
            raise failure(FailureClass.TIMEOUT, message)
        data = provider.get_json(address, limits.within(left))
        yield _rows(provider, data)
        following = _following(provider, data)
        if not following:
            return
        address = f"{url}{'&' if '?' in url else '?'}{urlencode(following)}"
        if address in asked:
            _no_end("the next page is one that was read before")
        asked.add(address)
    _no_end(f"it has more than {MAX_PAGES} pages")


def _rows(provider: BaseProvider, data: Any) -> Sequence[ModelInfo]:
    if isinstance(data, Mapping) and data.get("error"):
        raise provider._map_embedded_error(data)  # noqa: SLF001 - its own error
    rows: Any = _asked_hook(provider, provider._parse_model_list, data)  # noqa: SLF001 - a hook
    if not isinstance(rows, Sequence) or not all(isinstance(row, ModelInfo) for row in rows):
        raise provider._misused("_parse_model_list", rows, "a sequence of ModelInfo", written=True)  # noqa: SLF001
    return rows


def _following(provider: BaseProvider, data: Any) -> Mapping[str, str] | None:
    found: Any = _asked_hook(provider, provider._next_model_page, data)  # noqa: SLF001 - a hook
    if found is not None and not isinstance(found, Mapping):
        raise provider._misused("_next_model_page", found, "query parameters as a map, or None", written=True)  # noqa: SLF001
    return found


def _asked_hook(provider: BaseProvider, hook: Callable[[Any], Any], data: Any) -> Any:
    try:
        return hook(data)
    except ProviderError:
        raise
    except ValueError as error:
        why = scrubbed(provider._unreadable(error), provider.api_key)  # noqa: SLF001 - a hook may quote what the vendor sent
        raise failure(FailureClass.PROTOCOL, f"the provider answered, but {why}") from None
    except Exception as error:  # noqa: BLE001 - whatever a hook raises is the connector's mistake
        raise attribution.unexpected_exception(provider, error, written=True) from None


def _no_end(why: str) -> NoReturn:
    raise failure(FailureClass.PROTOCOL, f"the list of models was not read to its end: {why}")


def _known(provider: BaseProvider) -> dict[str, list[ModelInfo]]:
    """Return the rows that are there without asking, by each name that the vendor may list them under."""
    rows = {row.id: row for row in (*provider.shipped_models(), *provider._configured_models())}  # noqa: SLF001
    found: dict[str, list[ModelInfo]] = {}
    for row in rows.values():
        for name in dict.fromkeys((row.name, row.id)):
            found.setdefault(name, []).append(row)
    return found


# -- what hooks are made of -----------------------------------------------------------------------------------------


def rows_of(data: Any, key: str, read: RowReader) -> tuple[ModelInfo, ...]:
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


def row(
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
        features: Kept where they are yes or no.
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


def openai_row(data: Mapping[str, Any], source: str) -> ModelInfo | None:
    """Make a row of one in OpenAI's format, which has an ``id``, and in some vendors' lists a little more."""
    stated = data.get("capabilities")
    return row(
        data.get("id"),
        source,
        capabilities=stated if isinstance(stated, list) else (),
        context_window=next(filter(None, map(data.get, WINDOWS)), None),
        max_output_tokens=next(filter(None, map(data.get, LONGEST)), None),
    )


def capabilities_for(words: Any, table: Mapping[str, str]) -> tuple[str, ...]:
    """Return the capabilities that a vendor's words stand for, by a table of those that are known."""
    known = [table[word] for word in words if isinstance(word, str) and word in table] if isinstance(words, list) else []
    return tuple(dict.fromkeys(known))


def has(words: Any, word: str) -> bool | None:
    """Return whether a vendor's list of words has one; ``None`` when there is no such list."""
    return word in words if isinstance(words, list) else None


def part(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the map under a key, empty when there is none."""
    found = data.get(key)
    return found if isinstance(found, Mapping) else {}


def shown(url: str) -> str:
    """Return an address as it may be shown: without its query and without a user's name or password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _tokens(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None

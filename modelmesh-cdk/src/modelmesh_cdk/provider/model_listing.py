"""A vendor's complete model list: read page by page, and matched with the model catalogue.

A model that the catalogue contains keeps the row of the catalogue unchanged, so that a comparison finds no difference that the
vendor did not make.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlencode

from modelmesh._engine.plugins import attribution
from modelmesh.contracts import FailureClass
from modelmesh.contracts.call import Limits
from modelmesh.contracts.models import ModelInfo
from modelmesh.errors import ProviderError
from modelmesh_cdk.provider.error_responses import describe_unreadable
from modelmesh_cdk.provider.exchange import Exchange, fetch_json
from modelmesh_cdk.provider.provider_errors import bad_hook_result, provider_error, scrub_key

if TYPE_CHECKING:
    from modelmesh_cdk.provider.headers import RequestHeaders
    from modelmesh_cdk.provider.hooks import ProviderHooks

# ruff: noqa: SLF001 - hooks are protected methods of the provider

LIST_LIMITS = Limits(connect=5.0, first_content=10.0, gap=10.0, answer=10.0, total=30.0)
"""Default limits of a model list: ``answer`` for each page, ``total`` for all pages."""

MAX_PAGES = 100
MAX_ROWS = 20_000
"""Limits of one list. A longer list is an error, because half a list would report the other half as removed."""


def list_models(
    provider: ProviderHooks, limits: Limits, headers: RequestHeaders, known: Iterable[ModelInfo]
) -> Exchange[tuple[ModelInfo, ...]]:
    """Read all pages of the vendor's model list.

    Args:
        provider: Reads the pages.
        limits: Seconds that the list may take.
        headers: Request headers.
        known: Rows of the model catalogue.

    Raises:
        ProviderError: There is no list, or the list does not end.
    """
    if not provider.list_path:
        message = f"{provider.id} knows no list of models to ask its vendor for. Nothing was sent."
        raise ProviderError(message, failure=FailureClass.CONNECT)
    listed = yield from _read_pages(provider, limits, headers)
    by_name = _by_name(known)
    found: dict[str, ModelInfo] = {}
    for info in listed:
        for row in by_name.get(info.name) or by_name.get(info.id) or (info,):
            found.setdefault(row.id, row)
    for row in provider._unlisted_models():
        found.setdefault(row.id, row)
    return tuple(found.values())


def _read_pages(provider: ProviderHooks, limits: Limits, headers: RequestHeaders) -> Generator[Any, Any, Sequence[ModelInfo]]:
    url: Any = provider._get_list_endpoint()
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise bad_hook_result(provider, "_get_list_endpoint", url, "a whole address", written=False)
    end = monotonic() + limits.total
    address, requested = url, {url}
    rows: list[ModelInfo] = []
    for _ in range(MAX_PAGES):
        left = end - monotonic()
        if left <= 0:
            message = f"the list of models was not read to its end in {limits.total:g} s"
            raise provider_error(FailureClass.TIMEOUT, message)
        data = yield from fetch_json(provider, address, headers.fixed(provider), limits.within(left))
        rows += _rows(provider, data)
        if len(rows) > MAX_ROWS:
            _raise_endless(f"it has more than {MAX_ROWS} rows")
        following = _next_page(provider, data)
        if not following:
            return rows
        address = f"{url}{'&' if '?' in url else '?'}{urlencode(following)}"
        if address in requested:
            _raise_endless("the next page is one that was read before")
        requested.add(address)
    _raise_endless(f"it has more than {MAX_PAGES} pages")


def _rows(provider: ProviderHooks, data: Any) -> Sequence[ModelInfo]:
    if isinstance(data, Mapping) and data.get("error"):
        raise provider._map_embedded_error(data)
    rows: Any = _call_hook(provider, provider._parse_model_list, data)
    if not isinstance(rows, Sequence) or not all(isinstance(row, ModelInfo) for row in rows):
        raise bad_hook_result(provider, "_parse_model_list", rows, "a sequence of ModelInfo")
    return rows


def _next_page(provider: ProviderHooks, data: Any) -> Mapping[str, str] | None:
    found: Any = _call_hook(provider, provider._next_model_page, data)
    if found is not None and not isinstance(found, Mapping):
        raise bad_hook_result(provider, "_next_model_page", found, "query parameters as a map, or None")
    return found


def _call_hook(provider: ProviderHooks, hook: Callable[[Any], Any], data: Any) -> Any:
    try:
        return hook(data)
    except ProviderError:
        raise
    except ValueError as error:
        why = scrub_key(describe_unreadable(provider, error), provider.api_key)  # a hook may quote the response
        raise provider_error(FailureClass.PROTOCOL, f"the provider answered, but {why}") from None
    except Exception as error:  # noqa: BLE001 - any other exception of a hook is a bug of the connector
        raise attribution.unexpected_exception(provider, error, written=True) from None


def _raise_endless(why: str) -> NoReturn:
    raise provider_error(FailureClass.PROTOCOL, f"the list of models was not read to its end: {why}")


def _by_name(known: Iterable[ModelInfo]) -> dict[str, list[ModelInfo]]:
    """Return the rows of the catalogue by each name that the vendor may list them under."""
    rows = {row.id: row for row in known}
    found: dict[str, list[ModelInfo]] = {}
    for row in rows.values():
        for name in dict.fromkeys((row.name, row.id)):
            found.setdefault(name, []).append(row)
    return found

"""Perplexity's Search API, which has no models.

Path and fields are those of the perplexityai package 0.46.1 (``resources/search.py``, ``types/search_create_response.py``), read
2026-11-30.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh_cdk import OperationCodec, WireRequest, required_part


class Searches(OperationCodec):
    """Codec of ``search``."""

    def endpoint(self, provider: Any, request: WireRequest) -> str:
        """Return the address. Its path does not contain the API version."""
        del request
        return f"{provider.api_root.removesuffix(provider.api_version)}/search"

    def build_payload(self, provider: Any, request: WireRequest) -> dict[str, Any]:
        """Return the body."""
        del provider
        return {name: value for name, value in request.payload.items() if value is not None}

    def parse_response(self, provider: Any, request: WireRequest, data: Any) -> dict[str, Any]:
        """Return the results.

        Raises:
            ValueError: The reply has no list of results.
        """
        del provider, request
        required_part(data, "results", list)
        found: dict[str, Any] = data
        return found


CODECS: Mapping[str, OperationCodec] = {
    "search": Searches(),
}

"""Rows that a connector reads from its vendor's model list."""

from __future__ import annotations

from typing import Any

from modelmesh.contracts.models import ModelInfo
from modelmesh_cdk.provider.base import BaseProvider
from modelmesh_cdk.testing.upstream import Upstream


def models_listed(provider_class: type[BaseProvider], page: Any) -> list[ModelInfo]:
    """Return the rows that a connector reads from a model list, without those of its catalogue.

    Args:
        provider_class: The connector.
        page: The list in the vendor's format.

    Raises:
        ProviderError: The connector cannot read the list.

    Example:
        ::

            (row,) = models_listed(AcmeProvider, {"data": [{"id": "acme-9", "context_length": 1000}]})
            assert row.context_window == 1000
    """
    with Upstream() as upstream:
        provider = provider_class(base_url=upstream.reply(page).url, api_key="test-key")
        try:
            found = provider.discover_models()
        finally:
            provider.close()
    shipped = {row.id for row in provider.shipped_models()}
    return [row for row in found if row.id not in shipped]

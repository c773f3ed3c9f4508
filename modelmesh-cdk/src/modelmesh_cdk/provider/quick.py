"""Provider of an address and a key, without a connector package."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from modelmesh.contracts.call import Limits
from modelmesh.contracts.models import ModelInfo
from modelmesh.errors import ProviderError, ProviderInitError
from modelmesh_cdk.provider.openai_compatible import OpenAICompatibleProvider

DISCOVERY_LIMITS = Limits(connect=2.0, first_content=4.0, gap=4.0, answer=4.0, total=4.0)
"""Limits of the model list at start. A slower provider joins later."""


class QuickProvider(OpenAICompatibleProvider):
    """Any endpoint with OpenAI's format. Without ``models`` the provider reads the endpoint's model list once.

    Example:
        ::

            provider = QuickProvider(base_url="https://api.example.com", api_key="test")
            client = modelmesh.create(config={
                "providers": {"example": {"instance": provider}},
                "pools": {"chat-completion": {"providers": ["example"]}},
            })

    Subclasses that are connectors set ``id``, ``default_base_url`` and ``api_key_variable``.
    """

    id: ClassVar[str] = "modelmesh.quick.v1"
    requires_key: ClassVar[bool] = False

    def _resolve_base_url(self) -> str:
        written = super()._resolve_base_url().strip()
        return f"http://{written}" if written and "://" not in written else written  # a self-hosted server

    _discovered: tuple[ModelInfo, ...] | None = None

    def models(self) -> Sequence[ModelInfo]:
        """Return the configured models, else the connector's catalogue, else the model list of the endpoint.

        Raises:
            ProviderInitError: The endpoint did not return a model list.
        """
        return self._configured_models() or self.shipped_models() or self._discover()

    def _discover(self) -> tuple[ModelInfo, ...]:
        if self._discovered is None:
            try:
                self._discovered = tuple(self.discover_models(DISCOVERY_LIMITS))
            except ProviderError as error:
                raise self._no_list(error) from None
        return self._discovered

    def _no_list(self, cause: ProviderError) -> ProviderInitError:
        message = (
            f"the models of {self.id} could not be read from {self.list_source()}: {cause.message}. "
            "Check base_url, api_key and that the server runs, or name its models: models=['…']."
        )
        return ProviderInitError(message, failure=cause.failure, status=cause.status, provider_id=self.id)

"""AnthropicProvider keeps what every provider keeps."""

from __future__ import annotations

from modelmesh_connector_anthropic import AnthropicProvider

from modelmesh_cdk.testing import ProviderConformance


class TestAnthropic(ProviderConformance):
    provider_class = AnthropicProvider
    dialect = "anthropic"

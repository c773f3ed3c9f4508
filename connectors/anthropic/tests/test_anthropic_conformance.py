"""Conformance tests of AnthropicProvider."""

from __future__ import annotations

from typing import ClassVar

from modelmesh_connector_anthropic import AnthropicProvider

from modelmesh_cdk.testing import ProviderConformance


class TestAnthropic(ProviderConformance):
    provider_class = AnthropicProvider
    dialect = "anthropic"


class TestAnthropicBeforeIt(ProviderConformance):
    """The version that most gateways of this format speak, which has sampling."""

    provider_class = AnthropicProvider
    settings: ClassVar[dict[str, str]] = {"anthropic_version": "2023-06-01"}
    dialect = "anthropic"

"""Conformance tests of DeepSeekProvider."""

from __future__ import annotations

from modelmesh_connector_deepseek import DeepSeekProvider

from modelmesh_cdk.testing import ProviderConformance


class TestDeepSeek(ProviderConformance):
    provider_class = DeepSeekProvider

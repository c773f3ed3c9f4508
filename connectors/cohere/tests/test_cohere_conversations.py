"""Conversations from other formats: the request obeys the vendor's rules, or the connector raises before sending."""

from __future__ import annotations

from modelmesh_connector_cohere import CohereProvider

from modelmesh_cdk.testing import NativeConversations
from modelmesh_cdk.testing.dialects import cohere_violations


class TestConversations(NativeConversations):
    provider_class = CohereProvider
    model = "command-a-03-2025"
    violations = staticmethod(cohere_violations)

"""Conversations from other formats: the request obeys the vendor's rules, or the connector raises before sending."""

from __future__ import annotations

from modelmesh_connector_cohere import CohereProvider

from modelmesh_cdk.testing.dialects.cohere_rules import cohere_violations
from modelmesh_cdk.testing.native_conversations import NativeConversations


class TestConversations(NativeConversations):
    provider_class = CohereProvider
    model = "command-a-03-2025"
    violations = staticmethod(cohere_violations)

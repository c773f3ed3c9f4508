"""Conversations from other formats: the request obeys the vendor's rules, or the connector raises before sending."""

from __future__ import annotations

from modelmesh_connector_google import GoogleProvider

from modelmesh_cdk.testing.dialects.gemini_rules import gemini_violations
from modelmesh_cdk.testing.native_conversations import NativeConversations


class TestConversations(NativeConversations):
    provider_class = GoogleProvider
    model = "gemini-3.8-flash"
    violations = staticmethod(gemini_violations)

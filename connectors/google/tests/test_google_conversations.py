"""Conversations from other formats: the request obeys the vendor's rules, or the connector raises before sending."""

from __future__ import annotations

from modelmesh_connector_google import GoogleProvider

from modelmesh_cdk.testing import NativeConversations
from modelmesh_cdk.testing.dialects import gemini_violations


class TestConversations(NativeConversations):
    provider_class = GoogleProvider
    model = "gemini-3.8-flash"
    violations = staticmethod(gemini_violations)

"""Conversations from other formats. The request obeys Anthropic's rules, or the connector raises before it sends anything."""

from __future__ import annotations

from modelmesh_connector_anthropic import AnthropicProvider

from modelmesh_cdk.testing import NativeConversations
from modelmesh_cdk.testing.dialects import anthropic_violations


class TestConversations(NativeConversations):
    provider_class = AnthropicProvider
    model = "claude-sonnet-5-5"
    violations = staticmethod(anthropic_violations)

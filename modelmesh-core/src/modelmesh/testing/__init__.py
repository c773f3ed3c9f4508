"""Test doubles for applications that use ModelMesh: a client without a provider, and a virtual clock."""

from modelmesh.testing.clock import VirtualClock
from modelmesh.testing.mock import MockCall, MockClient, MockProvider, MockResponse, mock_client

__all__ = ["MockCall", "MockClient", "MockProvider", "MockResponse", "VirtualClock", "mock_client"]

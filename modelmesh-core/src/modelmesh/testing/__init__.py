"""For the tests of applications that use ModelMesh: a client that needs no provider, and a clock that needs no waiting."""

from modelmesh.testing.clock import VirtualClock
from modelmesh.testing.mock import MockCall, MockClient, MockProvider, MockResponse, mock_client

__all__ = ["MockCall", "MockClient", "MockProvider", "MockResponse", "VirtualClock", "mock_client"]

"""Conformance tests of providers."""

from modelmesh_cdk.testing.provider.answers import Answers
from modelmesh_cdk.testing.provider.conversations import Conversations
from modelmesh_cdk.testing.provider.embeddings import Embeddings
from modelmesh_cdk.testing.provider.failures import Failures
from modelmesh_cdk.testing.provider.identity import Identity
from modelmesh_cdk.testing.provider.in_process import InProcessProviderConformance
from modelmesh_cdk.testing.provider.listing import Listing
from modelmesh_cdk.testing.provider.operations import Operations
from modelmesh_cdk.testing.provider.requests import Requests
from modelmesh_cdk.testing.provider.secrecy import Secrecy
from modelmesh_cdk.testing.provider.streams import Streams
from modelmesh_cdk.testing.provider.tool_calls import ToolCalls


class ProviderConformance(
    Requests, Conversations, Secrecy, Answers, Streams, ToolCalls, Embeddings, Operations, Failures, Listing, Identity
):
    """Derive a test class and set ``provider_class``. The tests run against a server on the loopback interface, sync and async.

    Example:
        ::

            from modelmesh.cdk.testing import ProviderConformance
            from acme_modelmesh import AcmeProvider

            class TestAcme(ProviderConformance):
                provider_class = AcmeProvider
                supports_images = False  # rejected with 400 (docs.acme.example, 2026-11-21)

    :class:`~modelmesh_cdk.testing.provider.subject.Subject` documents the class variables.
    """


__all__ = ["InProcessProviderConformance", "ProviderConformance"]

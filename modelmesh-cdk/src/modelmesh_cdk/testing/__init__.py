"""For the tests of connectors: a vendor's API on loopback whose answers the test writes down."""

from modelmesh_cdk.testing.upstream import Received, Script, Upstream

__all__ = ["Received", "Script", "Upstream"]

"""A client of two providers of which the first one fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import modelmesh
from modelmesh_cdk.testing import failover_client

__all__ = ["failover_client"]


@pytest.fixture
def mesh(failover_client: Callable[..., modelmesh.MeshClient]) -> Callable[..., modelmesh.MeshClient]:
    """A factory of clients, see :func:`~modelmesh_cdk.testing.fixtures.failover_client`."""
    return failover_client

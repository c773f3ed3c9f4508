"""``modelmesh.cdk.testing``: for the tests of connectors, installed by ``modelmesh-cdk``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmesh.facade import forward

if TYPE_CHECKING:
    from modelmesh_cdk.testing import Received as Received
    from modelmesh_cdk.testing import Script as Script
    from modelmesh_cdk.testing import Upstream as Upstream

__all__ = ["Received", "Script", "Upstream"]

__getattr__ = forward(__name__, "modelmesh_cdk", "modelmesh-cdk", __all__, home="modelmesh_cdk.testing")


def __dir__() -> list[str]:
    return list(__all__)

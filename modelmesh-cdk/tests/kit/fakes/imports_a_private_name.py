"""Module of faulty connectors: imports private names of core and kit."""

from modelmesh._engine.foundation.units import NANO  # noqa: F401
from modelmesh_cdk.storage.base import RESERVED  # noqa: F401

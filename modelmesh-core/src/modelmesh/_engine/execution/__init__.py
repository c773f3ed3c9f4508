"""Drivers of the request flow: the only code that calls providers and sleeps.

``sync`` serves threads, ``aio`` serves asyncio. They differ in ``await`` only.
"""

from modelmesh._engine.execution.aio import AsyncDriver
from modelmesh._engine.execution.sync import SyncDriver

__all__ = ["AsyncDriver", "SyncDriver"]

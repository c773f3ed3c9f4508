"""The drivers: the only code that calls providers and sleeps. One for threads, one for asyncio, nothing else between them."""

from modelmesh._engine.execution.aio import AsyncDriver
from modelmesh._engine.execution.sync import SyncDriver

__all__ = ["AsyncDriver", "SyncDriver"]

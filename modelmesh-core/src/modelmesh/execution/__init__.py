"""The drivers: the only code that calls providers and sleeps. One for threads, one for asyncio, nothing else between them."""

from modelmesh.execution.aio import AsyncDriver
from modelmesh.execution.sync import SyncDriver

__all__ = ["AsyncDriver", "SyncDriver"]

"""Drivers of the request flow: the only code that calls providers and sleeps.

``sync`` serves threads, ``aio`` serves asyncio. They differ in ``await`` only.
"""

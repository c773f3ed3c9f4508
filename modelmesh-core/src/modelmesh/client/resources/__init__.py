"""Resources of the clients, one module for each: parameters, signatures, and the classes for threads and for asyncio.

The clients import a resource when it is first used.
"""

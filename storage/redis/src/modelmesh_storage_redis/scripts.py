"""Execution of scripts by any client: of a server, a cluster or a master behind Sentinels."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

import redis


@cache
def _digest(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def run_script(client: Any, text: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
    """Run a script on the node of its keys. A server that does not have it, such as a new master, receives its text.

    Raises:
        RedisError: The server failed.
    """
    try:
        return client.evalsha(_digest(text), len(keys), *keys, *arguments)
    except redis.exceptions.NoScriptError:
        return client.eval(text, len(keys), *keys, *arguments)


def disconnect(client: Any) -> None:
    """Close the connections of a client. The next command opens new ones."""
    pool = getattr(client, "connection_pool", None)
    if pool is not None:
        pool.disconnect()

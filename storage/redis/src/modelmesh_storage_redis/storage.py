"""Storage of entries, locks and counters in a Redis or compatible server.

``redis.lock.Lock`` does not serve here: it keeps the token of a lock in its own object, and a
:class:`~modelmesh.contracts.LockHandle` must be releasable without that object (redis 8.1.0, read 2026-11-30).
"""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import Any, ClassVar

import redis
from redis.exceptions import RedisClusterException

from modelmesh.contracts import LockHandle, lock_timeout_error, validated_key
from modelmesh_cdk import BaseStorageConfig, SharedStorage
from modelmesh_cdk.storage import RESERVED
from modelmesh_storage_redis.additions import Additions
from modelmesh_storage_redis.scripts import disconnect, run_script
from modelmesh_storage_redis.settings import RedisStorageConfig

_PAGE = 1000
_CODE = re.compile(r"[A-Z]{2,20}\b")

# KEYS: the entry. ARGV: the new data, the SHA-1 of the data that was read or an empty text, milliseconds until it expires or
# an empty text.
_SWAP = """
local there = redis.call('GET', KEYS[1])
if ARGV[2] == '' then
  if there then return 0 end
elseif not there or redis.sha1hex(there) ~= ARGV[2] then
  return 0
end
if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[1]) else redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3]) end
return 1
"""

# KEYS: the lock. ARGV: its ID.
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class RedisStorage(SharedStorage):
    """State in Redis 6 or later, or Valkey. Processes that share the server share budgets, limits and locks.

    The server may be a cluster, or the master of a group that Sentinels watch. A mesh uses one hash slot of a cluster, because
    its counters change together.

    Example:
        ::

            storage:
              connector: redis.redis.v1
              sync_policy: immediate
              host: localhost
              password: ${secrets:redis-password}
    """

    id: ClassVar[str] = "redis.redis.v1"
    options: ClassVar[Collection[str]] = ("prefix",)
    config_class: ClassVar[type[BaseStorageConfig]] = RedisStorageConfig
    hint: ClassVar[str] = "Test the server: redis-cli -h HOST -p PORT ping"

    def __init__(self, config: Mapping[str, Any] | BaseStorageConfig | None = None) -> None:
        super().__init__(config)
        self._connect()

    def _connect(self) -> None:
        self._prefix = self.config.prefix
        self._connecting = Lock()
        self._client: Any = None
        is_replicated = self.config.group is not None
        self._additions = Additions(lambda: self._redis, self._name(f"{RESERVED}journal/"), is_replicated=is_replicated)

    @property
    def _redis(self) -> Any:
        """The client. That of a cluster connects when it is made, so it is made on first use."""
        client = self._client
        if client is None:
            with self._connecting:
                client = self._client = self._client or self.config.client()
        return client

    def _run_script(self, text: str, keys: list[str], arguments: list[Any]) -> Any:
        return run_script(self._redis, text, keys, arguments)

    def after_fork(self) -> None:
        """Open new connections in a child process: the parent uses the old ones."""
        self._connect()

    def close(self) -> None:
        """Close the connections. May be called twice."""
        client, self._client = self._client, None
        if client is None:
            return
        client.close()
        disconnect(client)

    # -- entries ----------------------------------------------------------------------------------------------------

    def _name(self, raw: str) -> str:
        return f"{self._prefix}{raw}"

    def _read(self, key: str) -> bytes | None:
        found: bytes | None = self._redis.get(self._name(key))
        return found

    def _write(self, key: str, blob: bytes) -> None:
        self._redis.set(self._name(key), blob, px=_ms(self.config.ttl))

    def _remove(self, key: str) -> bool:
        return bool(self._redis.delete(self._name(key)))

    def _keys(self, prefix: str) -> Iterable[str]:
        own = self._name("")
        pattern = re.sub(r"([*?\[\]\\^])", r"\\\1", own + prefix) + "*"
        found = set(self._redis.scan_iter(match=pattern, count=_PAGE))  # SCAN may return a key twice
        return (name[len(own) :] for name in (key.decode("utf-8", "replace") for key in found))

    def _tagged(self, key: str) -> tuple[bytes | None, Any]:
        blob = self._read(key)
        return blob, None if blob is None else hashlib.sha1(blob, usedforsecurity=False).hexdigest()

    def _swap(self, key: str, blob: bytes, tag: Any) -> bool:
        lasts = _ms(self.config.ttl)
        return bool(self._run_script(_SWAP, [self._name(key)], [blob, tag or "", "" if lasts is None else lasts]))

    def exists(self, key: str) -> bool:
        """Return whether an entry exists.

        Raises:
            StorageError: The server does not reply.
        """
        raw = validated_key(key)
        name = self._name(RESERVED + raw if raw.startswith(RESERVED) else raw)
        return bool(self._guarded(key, "read", lambda: self._redis.exists(name)))

    # -- locks ------------------------------------------------------------------------------------------------------

    def acquire(self, key: str, timeout: float | None = None, *, expires_s: float | None = None) -> LockHandle:
        """Acquire a lock, waiting if necessary. The server's clock decides when it expires.

        Raises:
            StorageLockError: Another process held the lock until the timeout.
            StorageError: The server does not reply.
        """
        name = self._name(f"{RESERVED}lock/{validated_key(key)}")
        patience = self.config.lock_timeout if timeout is None else timeout
        lasting = self.config.lock_timeout if expires_s is None else expires_s
        until = time.monotonic() + patience
        while True:
            lock_id, now = uuid.uuid4().hex, time.time()
            if self._guarded(key, "locked", lambda mine: self._redis.set(name, mine, nx=True, px=_ms(lasting)), lock_id):
                return LockHandle(key, lock_id, now, now + lasting)
            left = until - time.monotonic()
            if left <= 0:
                raise lock_timeout_error(self.id, key, patience)
            free_in = self._guarded(key, "locked", lambda: self._redis.pttl(name)) / 1000
            time.sleep(max(min(left, self.config.retry_interval, free_in if free_in > 0 else left), 0.001))

    def release(self, lock: LockHandle) -> bool:
        """Release a lock. Return ``False`` when it had expired.

        Raises:
            StorageError: The server does not reply.
        """
        name = self._name(f"{RESERVED}lock/{validated_key(lock.key)}")
        return bool(self._guarded(lock.key, "unlocked", self._run_script, _RELEASE, [name], [lock.lock_id]))

    def is_locked(self, key: str) -> bool:
        """Return whether a key is locked now.

        Raises:
            StorageError: The server does not reply.
        """
        name = self._name(f"{RESERVED}lock/{validated_key(key)}")
        return bool(self._guarded(key, "read", lambda: self._redis.exists(name)))

    # -- counters ---------------------------------------------------------------------------------------------------

    def increment(self, key: str, amount: int = 1, expires_s: float | None = None) -> int:
        """Add to a counter atomically and return the sum. An addition that fails does not count.

        Raises:
            StorageError: The server does not reply.
        """
        return self.increment_many({key: (amount, expires_s)})[key]

    def increment_many(self, additions: Mapping[str, tuple[int, float | None]]) -> dict[str, int]:
        """Add to several counters atomically, in one exchange with the server.

        Raises:
            StorageError: The server does not reply. No addition counts.
        """
        names = {key: self._name(f"{RESERVED}counter/{validated_key(key)}") for key in additions}
        if not names:
            return {}
        made = {names[key]: (amount, _ms(lasts)) for key, (amount, lasts) in additions.items()}
        sums = self._guarded(next(iter(additions)), "counted", self._additions.add, made)
        return {key: sums[name] for key, name in names.items()}

    # -- failures ---------------------------------------------------------------------------------------------------

    def _guarded(self, key: str | None, doing: str, hook: Any, *arguments: Any) -> Any:
        return super()._guarded(key, doing, partial(self._attempt, hook, *arguments))

    def _attempt(self, hook: Any, *arguments: Any) -> Any:
        try:
            return hook(*arguments)
        except RedisClusterException:
            client, self._client = self._client, None  # the next call connects to the nodes of the configuration again
            if client is not None:
                with suppress(Exception):
                    client.close()
            raise
        except redis.ResponseError as error:
            if self.config.group is not None and "READONLY" in str(error):  # this master became a replica: look for the new one
                disconnect(self._redis)
            raise

    def _why(self, error: Exception) -> str:
        """Describe a failure. Of the server's message only the code is used, because the message may repeat a request."""
        where = f"the server at {self.config.address}"
        if isinstance(error, redis.AuthenticationError):
            return f"{where} rejects the user or password"
        if isinstance(error, redis.TimeoutError):
            return f"{where} did not reply within {self.config.timeout:g} s"
        if isinstance(error, redis.ConnectionError | RedisClusterException):
            return f"{where} cannot be reached ({type(error).__name__})"
        code = _CODE.match(str(error))
        return f"{where} replied with an error ({type(error).__name__}{f' {code[0]}' if code else ''})"


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else max(round(seconds * 1000), 1)

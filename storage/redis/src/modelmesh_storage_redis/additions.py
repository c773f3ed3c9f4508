"""Counter additions that are applied exactly once, although a reply may be lost or a replica may take over.

Without the reply, the client cannot know whether an addition was applied. Sending the amount again could count money twice.
So each addition has a number, and the server keeps a journal of the additions that the client has not confirmed. After a
failure, unconfirmed additions are rolled back before the next one. An addition that arrives after that has a number that the
server no longer accepts.

Replication is asynchronous: a replica that becomes the master may lack the latest additions. With replicas, the client confirms
an addition after twice :data:`REPLICATION_S`. When another server answers, or after a failure, it compares the journal with the
additions of the last :data:`REPLICATION_S`, and repeats those that the journal lacks.
"""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from attrs import frozen

from modelmesh_storage_redis.scripts import run_script

JOURNAL_MS = 86_400_000
"""How long a journal is stored after the last addition of its process."""

REPLICATION_S = 5.0
"""How far a replica may be behind its master without a loss of counts when it takes over."""

CONFIRMED_AT_ONCE = 1000
"""Numbers that one addition confirms at most."""

# KEYS: the journal, then the counters. ARGV: the number of the addition, the count of confirmed numbers, these numbers, then
# for each counter an amount and the milliseconds until it expires or an empty text. Sums are text: Lua numbers are floats.
_ADD = f"""
local floor = redis.call('HGET', KEYS[1], 'floor')
if floor and tonumber(ARGV[1]) <= tonumber(floor) then return false end
local place = 3 + ARGV[2]
if place > 3 then redis.call('HDEL', KEYS[1], unpack(ARGV, 3, place - 1)) end
local sums, changed = {{}}, false
for i = 2, #KEYS do
  local amount, lasts = ARGV[place], ARGV[place + 1]
  place = place + 2
  if amount ~= '0' then
    local there = redis.call('EXISTS', KEYS[i])
    redis.call('INCRBY', KEYS[i], amount)
    if there == 0 and lasts ~= '' then redis.call('PEXPIRE', KEYS[i], lasts) end
    changed = true
  end
  sums[#sums + 1] = redis.call('GET', KEYS[i]) or '0'
end
if changed then
  redis.call('HSET', KEYS[1], ARGV[1], '')
  redis.call('PEXPIRE', KEYS[1], {JOURNAL_MS})
end
return sums
"""

# KEYS and ARGV as above, without confirmed numbers. Adds what a replica did not receive before it took over.
_REPEAT = f"""
if redis.call('HSETNX', KEYS[1], ARGV[1], '') == 0 then return 0 end
redis.call('PEXPIRE', KEYS[1], {JOURNAL_MS})
for i = 2, #KEYS do
  local amount, lasts = ARGV[2 * i - 2], ARGV[2 * i - 1]
  local there = redis.call('EXISTS', KEYS[i])
  redis.call('INCRBY', KEYS[i], amount)
  if there == 0 and lasts ~= '' then redis.call('PEXPIRE', KEYS[i], lasts) end
end
return 1
"""

# KEYS: the journal, then the counters of one addition. ARGV: its number, then its amounts.
_ROLL_BACK = f"""
local floor = redis.call('HGET', KEYS[1], 'floor')
if not floor or tonumber(ARGV[1]) > tonumber(floor) then redis.call('HSET', KEYS[1], 'floor', ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], {JOURNAL_MS})
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
for i = 2, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 then redis.call('DECRBY', KEYS[i], ARGV[i]) end
end
return 1
"""


@frozen
class _Sent:
    """An addition: its number, when it was made, and amount and milliseconds until expiry by key."""

    number: int
    at: float
    parts: Mapping[str, tuple[int, int | None]]

    @property
    def arguments(self) -> list[Any]:
        """The parts as arguments of a script."""
        return [item for amount, lasts in self.parts.values() for item in (amount, "" if lasts is None else lasts)]


class Additions:
    """Numbers the additions of one process, rolls back unconfirmed ones, and repeats those that a new master lacks."""

    def __init__(self, client: Callable[[], Any], prefix: str, *, is_replicated: bool = False) -> None:
        """Start without additions. Nothing is sent yet.

        Args:
            client: Returns a client without retries.
            prefix: Prefix of the journal's key.
            is_replicated: Whether a replica may take over.
        """
        self._client = client
        self._journal = f"{prefix}{uuid.uuid4().hex}"
        self._lasts = 2 * REPLICATION_S if is_replicated else 0.0
        self._lock = Lock()
        self._recovering = Lock()
        self._last = 0
        self._confirmed: set[int] = set()
        self._recent: deque[_Sent] = deque()
        self._rolled_back: deque[_Sent] = deque()
        self._unconfirmed: list[_Sent] = []
        self._server: Any = None
        self._may_have_moved = False

    def add(self, additions: Mapping[str, tuple[int, int | None]]) -> dict[str, int]:
        """Add to counters atomically and return their sums.

        Args:
            additions: Amount and milliseconds until the counter expires, by key.

        Raises:
            RedisError: The server did not reply. The addition does not count, even if the server applied it or will.
        """
        if self._unconfirmed or self._may_have_moved:
            self._recover()
        while True:
            sent, confirmed = self._next(additions)
            arguments = [sent.number, len(confirmed), *confirmed, *sent.arguments]
            try:
                sums = run_script(self._client(), _ADD, [self._journal, *additions], arguments)
            except BaseException:
                with self._lock:
                    self._unconfirmed.append(sent)
                    self._may_have_moved = bool(self._lasts)
                raise
            if sums is None:
                continue  # another thread rolled back meanwhile, which also invalidated this number
            self._note(sent, confirmed)
            return {key: int(total) for key, total in zip(additions, sums, strict=True)}

    def _next(self, additions: Mapping[str, tuple[int, int | None]]) -> tuple[_Sent, list[int]]:
        """Return the numbered addition, and the numbers to confirm with it."""
        now = time.monotonic()
        with self._lock:
            self._last += 1
            while self._recent and self._recent[0].at <= now - self._lasts:
                self._confirmed.add(self._recent.popleft().number)
            while self._rolled_back and self._rolled_back[0].at <= now - self._lasts:
                self._rolled_back.popleft()
            confirmed = [] if not self._confirmed else list(self._confirmed)[:CONFIRMED_AT_ONCE]
            return _Sent(self._last, now, dict(additions)), confirmed

    def _note(self, sent: _Sent, confirmed: list[int]) -> None:
        """Note that the server applied an addition and removed confirmed numbers."""
        changes = any(amount for amount, _ in sent.parts.values())
        server = self._current_server() if self._lasts else None
        with self._lock:
            self._confirmed.difference_update(confirmed)
            if changes and self._lasts:
                self._recent.append(sent)
            elif changes:
                self._confirmed.add(sent.number)
            if server != self._server:
                self._may_have_moved = self._server is not None
                self._server = server

    def _current_server(self) -> Any:
        """Return the address of the server that has the journal, ``None`` when it is not known."""
        client = self._client()
        pool = getattr(client, "connection_pool", None)
        if pool is not None:
            return getattr(pool, "master_address", None)
        return client.get_node_from_key(self._journal).name

    # -- after a failure --------------------------------------------------------------------------------------------

    def _recover(self) -> None:
        """Roll back what was not confirmed. Where a replica may have taken over, repeat what it lacks."""
        with self._recovering:
            with self._lock:
                unconfirmed, self._unconfirmed = self._unconfirmed, []
                moved, self._may_have_moved = self._may_have_moved, False
                after = time.monotonic() - REPLICATION_S  # another thread may confirm older ones meanwhile
                recent = [sent for sent in self._recent if sent.at > after]
                undone = list(self._rolled_back)
            try:
                while unconfirmed:
                    self._roll_back(unconfirmed[-1])
                    sent = unconfirmed.pop()
                    if self._lasts:
                        with self._lock:
                            self._rolled_back.append(_Sent(sent.number, time.monotonic(), sent.parts))
                if moved:
                    self._repeat(recent)
                    for sent in undone:
                        self._roll_back(sent)
            except BaseException:
                with self._lock:
                    self._unconfirmed += unconfirmed
                    self._may_have_moved = self._may_have_moved or moved
                raise

    def _roll_back(self, sent: _Sent) -> None:
        amounts = [amount for amount, _ in sent.parts.values()]
        run_script(self._client(), _ROLL_BACK, [self._journal, *sent.parts], [sent.number, *amounts])

    def _repeat(self, recent: list[_Sent]) -> None:
        if not recent:
            return
        client = self._client()
        known = client.hmget(self._journal, [str(sent.number) for sent in recent])
        for sent, there in zip(recent, known, strict=True):
            if there is None:
                run_script(client, _REPEAT, [self._journal, *sent.parts], [sent.number, *sent.arguments])

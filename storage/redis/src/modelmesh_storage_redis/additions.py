"""Additions to counters that are made once, though their answer may be lost.

Who waits in vain for the answer to an addition does not know whether it was made, and may send the same amount again:
money would be counted twice. So each addition has a number, and the server keeps a journal of those whose answer nobody
has confirmed. After a failure the doubtful ones are withdrawn before anything else is added; one that arrives later still
has a number that is no longer taken.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from threading import Lock
from typing import Any

import redis
from attrs import frozen

JOURNAL_MS = 86_400_000
"""How long a journal outlives the last addition of its process."""

# KEYS: the journal, then counters. ARGV: the number, how many numbers are confirmed, these, then an amount and the
# milliseconds until it is forgotten, or nothing, for each counter. Sums are returned as text: the numbers of Lua are not exact.
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

# KEYS: the journal, then the counters of one addition. ARGV: its number, then its amounts.
_WITHDRAW = f"""
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
    """An addition under way: its number, and the amounts by key."""

    number: int
    amounts: Mapping[str, int]


class Additions:
    """Numbers the additions of one process, and withdraws those that are in doubt."""

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        """Take the client.

        Args:
            client: Asks once and gives up soon.
            prefix: Before the name of the journal.
        """
        self._journal = f"{prefix}{uuid.uuid4().hex}"
        self._add: Any = client.register_script(_ADD)
        self._withdraw: Any = client.register_script(_WITHDRAW)
        self._lock = Lock()
        self._last = 0
        self._confirmed: set[int] = set()
        self._doubtful: list[_Sent] = []

    def make(self, additions: Mapping[str, tuple[int, int | None]]) -> dict[str, int]:
        """Add to counters, to all or to none, and return their sums.

        Args:
            additions: An amount, and the milliseconds until the counter is forgotten, for each key.

        Raises:
            RedisError: The server did not answer; then none of it counts, whatever it has done or will do.
        """
        self._settle_doubts()
        while True:
            with self._lock:
                self._last += 1
                sent = _Sent(self._last, {key: amount for key, (amount, _) in additions.items()})
                confirmed = list(self._confirmed)[:1000]
            settings = [part for amount, lasts in additions.values() for part in (amount, "" if lasts is None else lasts)]
            try:
                sums = self._add([self._journal, *additions], [sent.number, len(confirmed), *confirmed, *settings])
            except BaseException:
                with self._lock:
                    self._doubtful.append(sent)
                raise
            if sums is None:
                continue  # another thread's doubts were settled meanwhile, and this number with them
            with self._lock:
                self._confirmed.difference_update(confirmed)
                if any(sent.amounts.values()):
                    self._confirmed.add(sent.number)
            return {key: int(total) for key, total in zip(additions, sums, strict=True)}

    def _settle_doubts(self) -> None:
        if not self._doubtful:
            return
        with self._lock:
            doubtful, self._doubtful = self._doubtful, []
        while doubtful:
            sent = doubtful[-1]
            try:
                self._withdraw([self._journal, *sent.amounts], [sent.number, *sent.amounts.values()])
            except BaseException:
                with self._lock:
                    self._doubtful += doubtful
                raise
            doubtful.pop()

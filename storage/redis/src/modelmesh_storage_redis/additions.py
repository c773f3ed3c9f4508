"""Counter additions that are applied exactly once, although a reply may be lost.

Without the reply, the client cannot know whether an addition was applied. Sending the amount again could count money twice.
So each addition has a number, and the server keeps a journal of the additions that the client has not confirmed. After a
failure, unconfirmed additions are rolled back before the next one. An addition that arrives after that has a number that the
server no longer accepts.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from threading import Lock
from typing import Any

import redis
from attrs import frozen

JOURNAL_MS = 86_400_000
"""How long a journal is stored after the last addition of its process."""

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
    """An addition in flight: its number, and the amounts by key."""

    number: int
    amounts: Mapping[str, int]


class Additions:
    """Numbers the additions of one process and rolls back unconfirmed ones."""

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        """Register the scripts. Nothing is sent yet.

        Args:
            client: A client without retries.
            prefix: Prefix of the journal's key.
        """
        self._journal = f"{prefix}{uuid.uuid4().hex}"
        self._add_script: Any = client.register_script(_ADD)
        self._roll_back_script: Any = client.register_script(_ROLL_BACK)
        self._lock = Lock()
        self._last = 0
        self._confirmed: set[int] = set()
        self._unconfirmed: list[_Sent] = []

    def add(self, additions: Mapping[str, tuple[int, int | None]]) -> dict[str, int]:
        """Add to counters atomically and return their sums.

        Args:
            additions: Amount and milliseconds until the counter expires, by key.

        Raises:
            RedisError: The server did not reply. The addition does not count, even if the server applied it or will.
        """
        self._roll_back_unconfirmed()
        while True:
            with self._lock:
                self._last += 1
                sent = _Sent(self._last, {key: amount for key, (amount, _) in additions.items()})
                confirmed = list(self._confirmed)[:1000]
            settings = [part for amount, lasts in additions.values() for part in (amount, "" if lasts is None else lasts)]
            try:
                sums = self._add_script([self._journal, *additions], [sent.number, len(confirmed), *confirmed, *settings])
            except BaseException:
                with self._lock:
                    self._unconfirmed.append(sent)
                raise
            if sums is None:
                continue  # another thread rolled back meanwhile, which also invalidated this number
            with self._lock:
                self._confirmed.difference_update(confirmed)
                if any(sent.amounts.values()):
                    self._confirmed.add(sent.number)
            return {key: int(total) for key, total in zip(additions, sums, strict=True)}

    def _roll_back_unconfirmed(self) -> None:
        if not self._unconfirmed:
            return
        with self._lock:
            unconfirmed, self._unconfirmed = self._unconfirmed, []
        while unconfirmed:
            sent = unconfirmed[-1]
            try:
                self._roll_back_script([self._journal, *sent.amounts], [sent.number, *sent.amounts.values()])
            except BaseException:
                with self._lock:
                    self._unconfirmed += unconfirmed
                raise
            unconfirmed.pop()

"""Process that sends requests to a scripted model within a shared budget, and reports what it has spent.

Usage: python worker.py SETTINGS (a map, as JSON). It ends early when its standard input is closed.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

from modelmesh import ModelMesh
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.contracts.provider import Answer
from modelmesh.errors import BudgetExceededError, NoActiveModelError

CHAT = "generation.text-generation.chat-completion"
NANO_USD_PER_TOKEN = 3_000


class Scripted:
    """Provider that answers with a random number of tokens and adds up their cost."""

    id = "test.scripted.v1"

    def __init__(self, seed: int, takes: float) -> None:
        self._draw, self._takes = random.Random(seed), takes
        self._lock = threading.Lock()
        self.spent, self.asked = 0, 0

    def models(self) -> list[ModelInfo]:
        price = NANO_USD_PER_TOKEN / 1e6
        return [ModelInfo("scripted", capabilities=(CHAT,), pricing=ModelPricing(price, price))]

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        with self._lock:
            usage = {"prompt_tokens": self._draw.randint(1, 10), "completion_tokens": self._draw.randint(1, 60)}
            self.spent += sum(usage.values()) * NANO_USD_PER_TOKEN
            self.asked += 1
        if self._takes:
            time.sleep(self._takes)
        choice = {"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}
        return Answer({"id": "test", "object": "chat.completion", "created": 1, "choices": [choice], "usage": usage})

    async def asend(self, call: Any, model: str, limits: Any) -> Answer:
        return self.send(call, model, limits)


def run(settings: dict[str, Any]) -> dict[str, Any]:
    vendor = Scripted(settings["seed"], settings.get("takes", 0.0))
    mesh = ModelMesh()
    mesh.initialize(
        {
            "providers": {"vendor": {"instance": vendor, **settings["limits"]}},
            "pools": {"chat": {"capability": "chat-completion"}},
            "storage": {"connector": "redis.redis.v1", "sync_policy": "immediate", **settings["storage"]},
        }
    )
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    print("ready", flush=True)
    tally = {"answered": 0, "refused": 0}
    failures: list[str] = []
    longest = 0.0
    lock = threading.Lock()

    def ask() -> None:
        nonlocal longest
        for _ in range(settings["requests"]):
            if ended.is_set():
                return
            began = time.perf_counter()
            try:
                mesh.client.chat.completions.create(model="chat", messages=[{"role": "user", "content": "Hello!"}])
                said = "answered"
            except (BudgetExceededError, NoActiveModelError):
                said = "refused"
            except Exception as error:
                failures.append(f"{type(error).__name__}: {error}")
                continue
            with lock:
                tally[said] += 1
                longest = max(longest, time.perf_counter() - began)

    began = time.perf_counter()
    threads = [threading.Thread(target=ask) for _ in range(settings.get("threads", 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    mesh.shutdown()
    assert mesh.state is not None
    waiting = mesh.state.get_sync_status().pending_changes
    return {**tally, "failures": failures, "spent": vendor.spent, "waiting": waiting, "took": took, "longest": longest}


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    Path(given["result"]).write_text(json.dumps(run(given)))

"""Five hundred concurrent prompts, in threads and in tasks, with Ctrl-C in the middle and a second run."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fakevendors import Account, Street
from opening import Opening, aask, ask

PROMPTS = 500
BATCH = """
import json, pathlib, sys
from concurrent.futures import ThreadPoolExecutor
import modelmesh

providers, state, results = json.loads(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
done = {json.loads(line)["prompt"] for line in results.read_text().splitlines()} if results.exists() else set()
todo = [number for number in range(500) if number not in done]
storage = {"connector": "modelmesh.local-file.v1", "path": state, "persistence": {"sync_policy": "immediate"}}
with modelmesh.create("chat-completion", providers=providers, config={"storage": storage}) as client, results.open("a") as out:

    def work(number):
        messages = [{"role": "user", "content": f"Prompt {number}"}]
        reply = client.chat.completions.create(model="chat-completion", messages=messages)
        out.write(json.dumps({"prompt": number, "text": reply.choices[0].message.content}) + "\\n")
        out.flush()

    pool = ThreadPoolExecutor(16)
    try:
        list(pool.map(work, todo))
    except KeyboardInterrupt:
        pool.shutdown(wait=True, cancel_futures=True)
        print("interrupted", flush=True)
        sys.exit(130)
    print("used", client.usage.total_requests, flush=True)
"""


def two(street: Street) -> tuple[Account, Account]:
    """A vendor that throttles after a hundred answers, and another."""
    return street.account("groq", free=100), street.account("mistral")


def test_prompts_in_threads_are_all_answered(street: Street) -> None:
    first, second = two(street)
    with Opening.of(first, second).sync() as client, ThreadPoolExecutor(16) as pool:
        prompts = [[{"role": "user", "content": f"Prompt {number}"}] for number in range(PROMPTS)]
        texts = list(pool.map(lambda messages: ask(client, messages=messages, stream=len(messages[0]["content"]) % 2), prompts))
        used = client.usage.total_requests
    assert all(text for text in texts)
    assert (len(first.bills), len(first.bills) + len(second.bills), used) == (100, PROMPTS, PROMPTS)


def test_prompts_in_tasks_are_all_answered(street: Street) -> None:
    """More concurrent calls than the account's connections wait in the queue."""
    first, second = two(street)

    async def main() -> tuple[list[str], int]:
        async with Opening.of(first, second).aio() as client:
            texts = await asyncio.gather(*(aask(client, stream=bool(number % 2)) for number in range(PROMPTS)))
            return texts, client.usage.total_requests

    texts, used = asyncio.run(main())
    assert all(texts)
    assert (len(first.bills) + len(second.bills), used) == (PROMPTS, PROMPTS)


def test_calls_above_the_account_limit_are_all_answered(street: Street) -> None:
    account = street.account("openai", delay=0.3)

    async def main() -> list[str]:
        async with Opening.of(account).aio() as client:
            return await asyncio.gather(*(aask(client) for _ in range(250)))

    assert all(asyncio.run(main()))
    assert len(account.bills) == 250


class Batch:
    """A user's script over 500 prompts, in a process of its own."""

    def __init__(self, folder: Path, *accounts: Account) -> None:
        self.results = folder / "results.jsonl"
        providers = {one.vendor.name: one.settings for one in accounts}
        self.command = [sys.executable, "-c", BATCH, json.dumps(providers), str(folder / "state.json"), str(self.results)]

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.results.read_text().splitlines()] if self.results.exists() else []


@pytest.fixture
def default_ctrl_c() -> Iterator[None]:
    """A shell that starts tests in the background has them ignore Ctrl-C, and their child processes with them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name == "nt", reason="needs SIGINT")
def test_batch_resumed_after_ctrl_c_answers_each_once(street: Street, tmp_path: Path, default_ctrl_c: None) -> None:
    account = street.account("openai", delay=0.01)
    batch = Batch(tmp_path, account)
    first = batch.start()
    deadline = time.monotonic() + 60
    while len(batch.rows()) < 100 and first.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    first.send_signal(signal.SIGINT)
    output, err = first.communicate(timeout=60)
    assert (first.returncode, output.strip()) == (130, "interrupted"), err
    assert "Traceback" not in err
    answered = len(batch.rows())
    assert 100 <= answered < PROMPTS
    assert len(account.bills) == answered, "requests in flight at Ctrl-C were saved"

    second = batch.start()
    output, err = second.communicate(timeout=120)
    assert second.returncode == 0, err
    assert sorted(row["prompt"] for row in batch.rows()) == list(range(PROMPTS))
    assert len(account.bills) == PROMPTS
    assert output.strip() == f"used {PROMPTS}", "the state of the first run was kept"

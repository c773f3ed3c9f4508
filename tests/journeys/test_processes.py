"""Environments of applications: a notebook's running loop, forked and spawned workers, threads."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from fakevendors import Street
from opening import Opening, aask, ask

ANSWER = "openai answers. word0 word1"


def test_notebook_with_a_running_loop_uses_both_clients(street: Street) -> None:
    """A notebook cell may call the synchronous client while the loop runs, and await the other one in later cells."""
    opening = Opening.of(street.account("openai"))
    loop = asyncio.new_event_loop()
    state: dict[str, Any] = {}

    async def cell_1() -> None:
        state["client"] = opening.sync()
        assert ask(state["client"]) == ask(state["client"], stream=True) == ANSWER

    async def cell_2() -> None:
        state["aio"] = opening.aio()
        assert await aask(state["aio"]) == ANSWER

    async def cell_3() -> None:
        assert ask(state["client"]) == await aask(state["aio"], stream=True) == ANSWER
        await state["aio"].close()

    try:
        for cell in (cell_1, cell_2, cell_3):
            loop.run_until_complete(cell())
        state["client"].close()
    finally:
        loop.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_forked_workers_use_the_client_of_their_parent(street: Street) -> None:
    account = street.account("openai")
    with Opening.of(account).sync() as client:
        assert ask(client) == ANSWER
        children = []
        for _ in range(4):
            child = os.fork()
            if not child:
                good = False
                try:
                    good = all(ask(client, stream=stream) == ANSWER for stream in (False, True, False))
                finally:
                    os._exit(0 if good else 1)
            children.append(child)
        assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
        assert ask(client) == ANSWER
    assert len(account.bills) == 14


SPAWNED = """
import json, multiprocessing, sys
import modelmesh

def work(number):
    with modelmesh.create("chat-completion", providers=json.loads(sys.argv[1])) as client:
        messages = [{"role": "user", "content": f"Prompt {number}"}]
        return client.chat.completions.create(model="chat-completion", messages=messages).choices[0].message.content

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        print(json.dumps(pool.map(work, range(6))))
"""


def test_spawned_workers_create_their_own_clients(street: Street, tmp_path: Path) -> None:
    first, second = street.account("openai", "error"), street.account("groq")
    script = tmp_path / "batch.py"
    script.write_text(SPAWNED)
    settings = {one.vendor.name: one.settings for one in (first, second)}
    done = subprocess.run(
        [sys.executable, str(script), json.dumps(settings)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["groq answers. word0 word1"] * 6
    assert len(second.bills) == 6


def test_threads_that_end_early_share_a_client(street: Street) -> None:
    account = street.account("anthropic")
    texts: list[str] = []
    with Opening.of(account).sync() as client:
        for _ in range(5):
            threads = [threading.Thread(target=lambda: texts.append(ask(client))) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert texts == ["anthropic answers. word0 word1"] * 40

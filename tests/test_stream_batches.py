"""Streams whose chunks arrive many at a time: what is counted when the caller leaves between two chunks of one read."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import modelmesh
from modelmesh_cdk.testing import Script, Upstream
from modelmesh_cdk.testing.upstream import chunk, event

HELLO: dict[str, Any] = {"model": "chat-completion", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
WORDS = [event(chunk({"content": f"word{place} "})) for place in range(10)]
END = [event(chunk({}, finish="stop")), event(chunk({}, choices=[], usage=USAGE)), b"data: [DONE]\n\n"]


def settings(upstream: Upstream) -> dict[str, Any]:
    entry = {"connector": "openai.llm.v1", "api_key": "test", "base_url": upstream.url, "models": ["m"]}
    return {"providers": {"a": entry}, "pools": {"chat-completion": {}}}


def at_once(*events: bytes) -> Script:
    return Script(200, b"".join(events), content_type="text/event-stream")


def counted(client: Any) -> tuple[int, int]:
    return client.usage.total.prompt_tokens, client.usage.total.completion_tokens


@pytest.mark.parametrize("read", [1, 4, 10])
def test_stream_left_within_a_read_counts_the_received_usage(upstream: Upstream, read: int) -> None:
    upstream.then(at_once(*WORDS, *END))
    with modelmesh.create(config=settings(upstream)) as client:
        stream = client.chat.completions.create(**HELLO)
        texts = [next(stream).choices[0].delta.content for _ in range(read)]
        stream.close()
        assert texts == [f"word{place} " for place in range(read)]
        assert counted(client) == (5, 7)
        assert not list(stream)


def test_cancelled_task_within_a_read_counts_the_received_usage(upstream: Upstream) -> None:
    upstream.then(at_once(*WORDS, *END))

    async def run() -> tuple[int, int]:
        async with modelmesh.create_async(config=settings(upstream)) as client:
            got: list[str] = []

            async def read() -> None:
                async with await client.chat.completions.create(**HELLO) as stream:
                    async for one in stream:
                        got.append(one.choices[0].delta.content)
                        if len(got) == 3:
                            await asyncio.sleep(60)

            task = asyncio.ensure_future(read())
            while len(got) < 3:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert len(got) == 3
            return counted(client)

    assert asyncio.run(run()) == (5, 7)


def test_stream_read_in_several_loops_yields_each_chunk_once(upstream: Upstream) -> None:
    upstream.then(at_once(*WORDS, *END))
    with modelmesh.create(config=settings(upstream)) as client, client.chat.completions.create(**HELLO) as stream:
        first = [one.choices[0].delta.content for _, one in zip(range(2), stream, strict=False)]
        rest = [one.choices[0].delta.content for one in stream]
    assert first == ["word0 ", "word1 "]
    assert [text for text in rest if text] == [f"word{place} " for place in range(2, 10)]

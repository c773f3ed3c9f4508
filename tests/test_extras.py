"""Extras of a request are validated before it is sent, and never count as a provider's failure."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

import modelmesh
from modelmesh.contracts import FailureClass
from modelmesh.errors import BadRequestError
from modelmesh_cdk.testing import Upstream

HELLO: dict[str, Any] = {"model": "chat-completion", "messages": [{"role": "user", "content": "Hi"}]}


class NotGiven:
    """A stand-in with the name of the openai package's type."""


def settings(upstream: Upstream) -> dict[str, Any]:
    entry = {"connector": "openai.llm.v1", "api_key": "test", "base_url": upstream.url, "models": ["m"]}
    return {"providers": {"a": entry, "b": entry}, "pools": {"chat-completion": {}}}


def ask(upstream: Upstream, *, in_task: bool = False, **more: Any) -> Any:
    async def asking() -> Any:
        async with modelmesh.create_async(config=settings(upstream)) as client:
            return await client.chat.completions.create(**{**HELLO, **more})

    if in_task:
        return asyncio.run(asking())
    with modelmesh.create(config=settings(upstream)) as client:
        try:
            return client.chat.completions.create(**{**HELLO, **more})
        finally:
            for pool in client.mesh.list_pools():
                assert all(not member.health.consecutive_failures and not member.health.suspensions for member in pool.members)


WRONG: list[dict[str, Any]] = [
    *({"extra_headers": {name: "x"}} for name in
      ("Transfer-Encoding", "content-length", "HOST", "Connection", "TE", "Trailer", "Upgrade", "Keep-Alive", "Expect",
       "Proxy-Authorization", "Content-Encoding", "Accept-Encoding", "", "a b", "a:b", "a\r\nb", "é")),
    *({"extra_headers": {"X-A": value}} for value in
      ("a\r\nb", "a\nb", "a\0b", "a\x0bb", "a\x7fb", "\x1b[31m", "é", "\ud800", " a", ["a"], {"a": 1}, b"a", object())),
    {"extra_headers": {5: "a"}}, {"extra_headers": "X: 1"}, {"extra_headers": ["X"]},
    *({"extra_query": value} for value in
      ({"a": "\ud800"}, {"\udfff": "a"}, {"a": ["\ud800"]}, {"a": {"\ud800": 1}}, {"a": object()}, {"a": [{"b": 1}]}, {"a": b"x"},
       {5: "a"}, "a=b")),
    {"extra_body": {"stream": True}}, {"extra_body": {"stream": None}}, {"extra_body": {"stream": 1}},
    {"extra_body": {"stream": False}, "stream": True}, {"extra_body": {"model": "other"}}, {"extra_body": {"model": None}},
    {"extra_body": "a"}, {"extra_body": {5: "a"}},
]  # fmt: skip


@pytest.mark.parametrize("in_task", [False, True])
@pytest.mark.parametrize("more", WRONG, ids=lambda more: re.sub(r" at 0x\w+", "", ascii(more))[:70])
def test_extras_invalid_raise_before_sending(upstream: Upstream, more: Any, in_task: bool) -> None:
    with pytest.raises(BadRequestError) as caught:
        ask(upstream, in_task=in_task, **more)
    assert caught.value.failure is FailureClass.CALLER
    assert caught.value.status == 400
    assert not upstream.received
    assert "Nothing was sent" in str(caught.value)
    str(caught.value).encode()


def test_extra_headers_booleans_and_none(upstream: Upstream) -> None:
    ask(upstream, extra_headers={"X-T": True, "X-F": False, "X-N": 5, "X-None": None, "X-Not": NotGiven(), "X-S": "a b"})
    sent = {name: value for name, value in upstream.last.headers.items() if name.startswith("x-")}
    assert {name: sent.get(name) for name in ("x-t", "x-f", "x-n", "x-none", "x-not", "x-s")} == {
        "x-t": "true", "x-f": "false", "x-n": "5", "x-none": None, "x-not": None, "x-s": "a b",
    }  # fmt: skip


def test_extra_query_is_sent_as_json_spells_it(upstream: Upstream) -> None:
    ask(upstream, extra_query={"t": True, "n": 1, "none": None, "list": ["a", False], "map": {"b": {"c": "ü&="}}})
    assert upstream.last.path.partition("?")[2] == "t=true&n=1&list=a&list=false&map%5Bb%5D%5Bc%5D=%C3%BC%26%3D"


def test_extra_body_fields_are_sent(upstream: Upstream) -> None:
    ask(upstream, extra_body={"top_k": 5, "stream": False, "model": "chat-completion", "not": NotGiven()})
    assert upstream.last.json["top_k"] == 5
    assert upstream.last.json["model"] == "m"
    assert "not" not in upstream.last.json

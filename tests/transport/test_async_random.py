"""Random schedules: whatever happens to connections and tasks, no response reaches another request.

Each request carries a token, which its response must echo. The server cuts connections, appends responses that belong to no
request, drips, resets, answers early and closes idle connections. Tasks are cancelled, responses are closed early, dropped or
read slowly.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import ssl
import time

import pytest
import trustme
from async_calls import deadline, pool_of, slots
from scripted_server import WAIT_S, Peer, scripted_server

from modelmesh_cdk.transport.http1 import async_connecting
from modelmesh_cdk.transport.http1.async_transport import AsyncHttp1Transport
from modelmesh_cdk.transport.interfaces import TransportError

TASKS, TURNS = 24, 12
EVIL = b"HTTP/1.1 200 OK\r\nX-Token: EVIL\r\nContent-Length: 4\r\n\r\nEVIL"


class Server:
    """Serves each request in a random way."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.right = 0

    def serve(self, peer: Peer) -> None:
        chance = random.Random(self._seed * 1_000 + peer.number)
        peer.socket.settimeout(WAIT_S)
        if chance.random() < 0.05:
            return
        while asked := peer.request():
            if not self._answer(peer, chance, asked):
                return

    def _answer(self, peer: Peer, chance: random.Random, asked: bytes) -> bool:
        """Answer a request. Return whether the connection stays open."""
        head, _, body = asked.partition(b"\r\n\r\n")
        token = head.partition(b"X-Token: ")[2].partition(b"\r\n")[0]
        assert body.startswith(token)
        reply = self._response(chance, token, body)
        way = chance.choice(["whole"] * 6 + ["halves", "drip", "cut", "reset", "stop", "surplus", "part", "late", "silent"])
        place = chance.randrange(1, len(reply))
        if way == "silent":
            return False
        if way in ("cut", "reset", "stop"):
            peer.send(reply[:place])
            if way == "stop":
                time.sleep(0.05)
            elif way == "reset":
                peer.reset()
            return False
        if way == "halves":
            peer.send(reply[:place])
            time.sleep(chance.random() * 0.003)
            peer.send(reply[place:])
        elif len(reply) > 3000:  # surplus bytes in another segment would come too late for any client to see them
            peer.send(reply)
        elif way == "drip":
            for start in range(0, len(reply), 100):
                peer.send(reply[start : start + 100])
                time.sleep(0.0005)
        else:
            peer.send(reply + {"surplus": EVIL, "part": EVIL[:20]}.get(way, b""))
        if way == "late":  # between two exchanges, if the connection is idle
            time.sleep(chance.random() * 0.002)
            return False
        self.right += way not in ("surplus", "part")
        return chance.random() > 0.05

    def _response(self, chance: random.Random, token: bytes, body: bytes) -> bytes:
        head = b"HTTP/1.1 200 OK\r\nX-Token: %s\r\n" % token
        if chance.random() < 0.1:
            head = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + head
        if chance.random() < 0.1:
            head += b"Connection: close\r\n"
        if chance.random() < 0.5:
            return head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        head += b"Transfer-Encoding: chunked\r\n\r\n"
        cut = chance.randrange(1, len(body))
        parts = [body[:cut], body[cut:]]
        return head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


async def call(transport: AsyncHttp1Transport, url: str, token: bytes, chance: random.Random, read: list[bytes]) -> None:
    """Send one request, and do something random with its response."""
    size = chance.choice([1, 1, 10, 1000, 400_000])
    body = token + b"." * size
    response = await transport.send("POST", url, [("X-Token", token.decode())], body, deadline(gap=2.0))
    assert response.headers.get("x-token") == token.decode()
    way = chance.choice(["read", "read", "read", "slowly", "first", "close", "drop"])
    if way == "drop":
        return
    found = b""
    try:
        if way == "close":
            return
        async for piece in response:
            found += piece
            assert body.startswith(found)
            if way == "first":
                return
            if way == "slowly":
                await asyncio.sleep(chance.random() * 0.003)
        assert found == body
        read.append(token)
    finally:
        await response.aclose()


async def caller(transport: AsyncHttp1Transport, url: str, number: int, seed: int, read: list[bytes]) -> None:
    chance = random.Random(seed * 1_000_000 + number)
    for turn in range(TURNS):
        task = asyncio.ensure_future(call(transport, url, b"%d-%d-" % (number, turn), chance, read))
        if chance.random() < 0.25:
            await asyncio.sleep(chance.choice([0, 0, 0.0005, 0.002, 0.01]))
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError, TransportError):
            await task


async def schedule(url: str, seed: int, read: list[bytes]) -> None:
    limit = random.Random(seed).choice([1, 3, 8, 100])
    transport = AsyncHttp1Transport(url, max_connections=limit)
    await asyncio.gather(*(caller(transport, url, number, seed, read) for number in range(TASKS)))
    gc.collect()
    for _ in range(100):  # dropped responses are closed by the event loop
        await asyncio.sleep(0.005)
        used, idle, waiting = slots(transport)
        if used == idle:
            break
    assert (used, waiting) == (idle, 0)
    assert used <= limit
    assert all(connection._exchange is None for connection in pool_of(transport)._open)
    await transport.aclose()
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


def check(seed: int, context: ssl.SSLContext | None) -> None:
    server, read = Server(seed), list[bytes]()
    with scripted_server(server.serve, context) as running:
        asyncio.run(schedule(running.url, seed, read))
        running.wait_until_ended(running.connections)
    assert len(read) == len(set(read))
    assert read, "no call succeeded"


@pytest.mark.parametrize("seed", range(6))
def test_no_response_reaches_another_request(seed: int) -> None:
    check(seed, None)


@pytest.mark.parametrize("seed", range(2))
def test_no_response_reaches_another_request_over_tls(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, trusting = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(trusting)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    monkeypatch.setattr(async_connecting, "tls_context", lambda: trusting)
    check(seed + 100, context)

"""``ProxyServer`` in threads, in event loops and with the mesh of a caller."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest
from http_calls import send
from waiting import wait_for

import modelmesh
from modelmesh.errors import ModelMeshError
from modelmesh.proxy import ProxyServer, ServerStatus

CONFIG = {"providers": {"local": {"connector": "modelmesh.local.v1"}}, "pools": {"text-generation": {}}}


def _threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_a_server_starts_again_after_a_stop() -> None:
    before = _threads()
    server = ProxyServer(CONFIG, port=0)
    assert server.get_status() == ServerStatus(running=False, host="127.0.0.1", port=0)
    ports = set()
    for _ in range(2):
        server.start(block=False)
        status = server.get_status()
        assert status.running
        assert send("GET", f"{server.url}/health").status == 200
        assert server.get_status().total_requests == 1
        with pytest.raises(ModelMeshError, match="runs already"):
            server.start(block=False)
        server.stop()
        server.stop()
        assert not server.get_status().running
        assert server.get_status().uptime_seconds is None
        assert repr(server) == "<ProxyServer not running>"
        ports.add(status.port)
        socket.create_server(("127.0.0.1", status.port)).close()
    wait_for(lambda: _threads() == before)


def test_it_is_awaited_in_an_event_loop_and_leaves_the_mesh_of_the_caller_open() -> None:
    async def main() -> None:
        with modelmesh.ModelMesh(CONFIG) as mesh:
            server = ProxyServer(mesh, port=0)
            await server.start()
            assert (await asyncio.to_thread(send, "GET", f"{server.url}/v1/models")).status == 200
            await server.stop()
            assert mesh.list_pools()
            async with ProxyServer(mesh.client, port=0) as other:
                assert other.get_status().running
            assert mesh.client.models.list().data

    before = _threads()
    asyncio.run(main())
    wait_for(lambda: _threads() == before)


def test_a_notebook_needs_no_await() -> None:
    async def cell() -> None:
        server = ProxyServer(CONFIG, port=0)
        server.start(block=False)
        assert server.get_status().port
        server.stop()
        await server.stop()

    asyncio.run(cell())


def test_a_failed_start_is_raised_in_each_form_and_frees_the_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = ProxyServer(CONFIG, port=taken.getsockname()[1])
        for block in (True, False):
            with pytest.raises(ModelMeshError, match="the port is in use"):
                server.start(block=block)

        async def main() -> None:
            await server.start()

        with pytest.raises(ModelMeshError, match="the port is in use"):
            asyncio.run(main())
    with server:
        assert server.get_status().running


def test_start_with_block_returns_when_another_thread_stops_the_server() -> None:
    server = ProxyServer(CONFIG, port=0)
    stopper = threading.Thread(target=_stop_when_running, args=(server,))
    stopper.start()
    server.start()
    stopper.join()
    assert not server.get_status().running


def _stop_when_running(server: Any) -> None:
    wait_for(lambda: server.get_status().running)
    server.stop()

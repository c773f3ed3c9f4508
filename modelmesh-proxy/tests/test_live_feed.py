"""The live feed: readers that are too slow or too many, a proxy that drains, and a mesh that nobody watches."""

import asyncio
import http.client
import json
from typing import Any

import modelmesh
from modelmesh._engine.gateway.gateway import Gateway
from modelmesh_cdk import QuickProvider
from modelmesh_cdk.testing import Upstream
from modelmesh_proxy import ProxyServer
from modelmesh_proxy.admin import live_feed, live_readers
from modelmesh_proxy.admin.event_stream import AttemptStream
from modelmesh_proxy.services import ProxyServices


def config(upstream: Upstream) -> dict[str, Any]:
    provider = QuickProvider(base_url=upstream.url, api_key="test", models=["large"])
    return {"providers": {"north": {"instance": provider}}, "pools": {"chat": {"capability": "chat-completion"}}}


def test_slow_reader_is_dropped_and_others_go_on() -> None:
    async def follow() -> None:
        feed = live_feed.LiveFeed(services)
        blocked, gone, sent = asyncio.Event(), asyncio.Event(), []

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(60)
            return {"type": "http.disconnect"}

        async def send(event: Any) -> None:
            sent.append(event)
            if len(sent) > 2:
                blocked.set()
                await gone.wait()

        slow = asyncio.ensure_future(AttemptStream(feed)({}, receive, send))
        steady = feed.join()
        assert steady is not None
        feed._readers.publish(("event", {}))
        await blocked.wait()
        for _ in range(live_readers.MAX_WAITING + 1):
            feed._readers.publish(("event", {}))
            while not steady.queue.empty():
                steady.queue.get_nowait()
        await asyncio.wait_for(slow, 10)
        assert feed.readers == 1, "only the steady one"
        feed.leave(steady)
        assert feed._stop is None

    with Upstream() as upstream, modelmesh.ModelMesh(config(upstream)) as mesh:
        services = ProxyServices(mesh, Gateway(mesh))
        asyncio.run(follow())


def test_readers_are_bounded_and_end_with_the_proxy() -> None:
    with Upstream() as upstream, ProxyServer(config(upstream), port=0) as server:
        port = server.get_status().port
        connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=30) for _ in range(live_feed.MAX_READERS + 1)]
        replies = []
        for connection in connections:
            connection.request("GET", "/admin/attempts")
            replies.append(connection.getresponse())
        assert [reply.status for reply in replies] == [200] * live_feed.MAX_READERS + [429]
        assert json.loads(replies[-1].read())["error"]["code"] == "too_many_views"
        server.stop()
        assert replies[0].read().startswith(b"event: counts\n")
        for connection in connections:
            connection.close()


def test_closed_view_costs_nothing() -> None:
    with Upstream() as upstream, modelmesh.ModelMesh(config(upstream)) as mesh:
        driver, emitter = mesh._core.adriver, mesh._running.emitter

        async def look() -> None:
            feed = live_feed.LiveFeed(ProxyServices(mesh, Gateway(mesh)))
            first, second = feed.join(), feed.join()
            assert (driver.on_send is None, emitter.has_subscribers) == (False, True)
            for reader in (first, second):
                assert reader is not None
                feed.leave(reader)

        asyncio.run(look())
        assert (driver.on_send, emitter.has_subscribers) == (None, False)

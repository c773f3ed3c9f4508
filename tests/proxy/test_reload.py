"""Reload of the configuration under load: no failed request, no lost count, no growth."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from http_calls import send
from proxy_process import proxy
from slow_vendor import SlowVendor
from waiting import wait_for

import modelmesh
from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.health.circuit_breaker import BreakerState
from modelmesh.proxy import ProxyServer
from modelmesh_proxy.application.app import ProxyApp, create_app
from modelmesh_proxy.application.mesh_source import load_mesh
from modelmesh_proxy.server import server_run
from modelmesh_proxy.server.file_watch import FileWatch

CHAT = {"model": "chat", "messages": [{"role": "user", "content": "Hi"}]}


def _own_threads() -> set[str]:
    """Return the threads without those of the event loop's executor, whose number has a bound, and those of the fake vendor."""
    others = ("asyncio_", "uvloop_", "Thread-")
    return {thread.name for thread in threading.enumerate() if not thread.name.startswith(others)}


@pytest.fixture
def vendor() -> Iterator[SlowVendor]:
    with SlowVendor() as one:
        yield one


def _write(path: Path, data: dict[str, Any]) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(data))
    part.replace(path)


def _model(config: dict[str, Any], name: str) -> dict[str, Any]:
    """Replace the model by one that costs $0.005 a request."""
    config["providers"]["slow"]["models"] = [name]
    config["models"] = {name: {"provider": "slow", "pricing": {"input_per_1k_tokens": 1.0, "output_per_1k_tokens": 1.0}}}
    return config


def test_a_hundred_reloads_under_load_fail_no_request(tmp_path: Path, vendor: SlowVendor) -> None:
    path = tmp_path / "modelmesh.json"
    _write(path, _model(vendor.config(budget={"daily_limit": 1000}), "first"))
    with ProxyServer(path, port=0) as server:
        statuses: list[int] = []
        over = threading.Event()

        def load() -> None:
            while not over.is_set():
                statuses.append(send("POST", f"{server.url}/v1/chat/completions", CHAT).status)

        callers = [threading.Thread(target=load) for _ in range(4)]
        for caller in callers:
            caller.start()
        run = server._run
        assert run is not None
        assert run.app is not None
        services, reloader = run.app.services, run._reloader
        threads: list[set[str]] = []
        for number in range(100):
            before = services.mesh
            _write(path, _model(vendor.config(budget={"daily_limit": 1000}), f"model-{number}"))
            run._server.call_soon(reloader.request)
            wait_for(lambda before=before: services.mesh is not before)
            threads.append(_own_threads())
        over.set()
        for caller in callers:
            caller.join()
        wait_for(lambda: not services.earlier_requests)
        assert set(statuses) == {200}
        assert services.mesh.usage.total_requests == len(statuses)
        assert services.mesh.usage.total_tokens == 5 * len(statuses)
        assert [row["used"] for row in services.mesh.limits()] == [5_000_000 * len(statuses)]
        assert threads[-1] == threads[0]
        assert vendor.models[-1].startswith("model-9")


def test_streams_finish_on_the_earlier_configuration_and_budgets_continue(tmp_path: Path, vendor: SlowVendor) -> None:
    def config(limit: float) -> dict[str, Any]:
        return _model(vendor.config(budget={"daily_limit": limit}), "m")

    path = tmp_path / "modelmesh.json"
    _write(path, config(1.0))
    with ProxyServer(path, port=0) as server:
        services = server._run.app.services  # type: ignore[union-attr]
        url = f"{server.url}/v1/chat/completions"
        assert send("POST", url, CHAT | {"max_tokens": 2}).status == 200
        replies: list[bytes] = []
        caller = threading.Thread(target=lambda: replies.append(send("POST", url, CHAT | {"stream": True, "max_tokens": 2}).body))
        caller.start()
        wait_for(lambda: vendor.waiting)
        before = services.mesh
        _write(path, config(0.015))
        server._run._server.call_soon(server._run._reloader.request)  # type: ignore[union-attr]
        wait_for(lambda: services.mesh is not before)
        refused = send("POST", url, CHAT | {"max_tokens": 2})
        assert (refused.status, refused.data["error"]["code"]) == (429, "budget_exceeded")
        vendor.release()
        caller.join()
        assert b"[DONE]" in replies[0]
        wait_for(lambda: not services.earlier_requests)
        assert services.mesh.usage.total_requests == 2
        assert [row["used"] for row in services.mesh.limits()] == [10_000_000]
        with pytest.raises(modelmesh.ModelMeshError, match="shut down"):
            before.client.chat.completions.create(**CHAT)


def _reload(server: ProxyServer) -> None:
    run = server._run
    assert run is not None
    assert run.app is not None
    before = run.app.services.mesh
    run._server.call_soon(run._reloader.request)  # type: ignore[union-attr]
    wait_for(lambda: run.app.services.mesh is not before and not run.app.services.earlier_requests)  # type: ignore[union-attr]


def test_sessions_and_statistics_continue(tmp_path: Path, vendor: SlowVendor) -> None:
    path, config = tmp_path / "modelmesh.json", vendor.config()
    config["providers"]["slow"]["models"] = ["first", "second", "third"]
    config["pools"]["chat"]["strategy"] = "session-stickiness"
    _write(path, config)
    with ProxyServer(path, port=0) as server:
        services = server._run.app.services  # type: ignore[union-attr]

        def ask(*sessions: str) -> list[str]:
            for name in sessions:
                assert send("POST", f"{server.url}/v1/chat/completions", CHAT, x_modelmesh_session_id=name).status == 200
            return vendor.models[-len(sessions) :]

        models = dict(zip("uvw", ask(*"uvw"), strict=True))
        assert len(set(models.values())) == 3, "new sessions rotate"
        replies: list[bytes] = []
        body = CHAT | {"stream": True, "max_tokens": 2}
        caller = threading.Thread(target=lambda: replies.append(send("POST", f"{server.url}/v1/chat/completions", body).body))
        caller.start()
        wait_for(lambda: vendor.waiting)
        earlier = services.mesh
        server._run._server.call_soon(server._run._reloader.request)  # type: ignore[union-attr]
        wait_for(lambda: services.mesh is not earlier)
        assert ask(*"wwvu") == [models[name] for name in "wwvu"]
        vendor.release()
        caller.join()
        wait_for(lambda: not services.earlier_requests)
        stats = services.mesh.get_statistics().pool("chat")
        assert (stats.requests_total, stats.requests_failed) == (8, 0), "one ended on the earlier mesh"
        assert sum(one.requests_total for one in services.mesh.get_statistics().flush().values()) == 3 * 8
        _reload(server)
        assert ask("u") == [models["u"]]


@pytest.mark.parametrize("connector", ["modelmesh.local-file.v1", "modelmesh.sqlite.v1"])
@pytest.mark.parametrize("policy", ["sync-on-boundary", "immediate"])
def test_stored_counts_continue_once(tmp_path: Path, vendor: SlowVendor, connector: str, policy: str) -> None:
    path, store = tmp_path / "modelmesh.json", str(tmp_path / "state")
    storage = {"connector": connector, "path": store, "persistence": {"sync_policy": policy}}
    _write(path, _model(vendor.config(budget={"daily_limit": 1000}, storage=storage), "m"))
    with ProxyServer(path, port=0) as server:
        services = server._run.app.services  # type: ignore[union-attr]
        for _ in range(3):
            assert send("POST", f"{server.url}/v1/chat/completions", CHAT).status == 200
            _reload(server)
        (candidate,) = services.mesh.list_models()
        core = services.mesh._core
        with core.lock:
            until = core.clock() + 600
            core.health.restore_open(
                candidate.health, FailureClass.SERVER, until, retry_after_given=False, backoff_steps={FailureClass.SERVER: 2}
            )
        _reload(server)
        (candidate,) = services.mesh.list_models()
        assert (candidate.health.state, candidate.health.backoff_steps) == (BreakerState.OPEN, {FailureClass.SERVER: 2})
        assert services.mesh.usage.total_requests == 3
        assert [row["used"] for row in services.mesh.limits()] == [15_000_000]
    again = load_mesh(path, read_only=True)
    again.load_state()
    assert again.usage.total_requests == 3
    assert [row["used"] for row in again.limits()] == [15_000_000]
    again.shutdown()


def test_a_file_change_and_sighup_reload_and_a_wrong_file_does_not(tmp_path: Path, vendor: SlowVendor) -> None:
    path = tmp_path / "modelmesh.json"
    _write(path, vendor.config())
    with proxy(tmp_path) as one:
        assert one.post("/v1/chat/completions", CHAT)[0] == 200
        _write(path, _model(vendor.config(), "second"))
        one.wait_for_log("configuration applied")
        assert one.post("/v1/chat/completions", CHAT)[0] == 200
        assert vendor.models == ["gpt-4o-mini", "second"]
        path.write_text('{"proxy": {"prot": 1}}')
        one.send(signal.SIGHUP)
        one.wait_for_log(
            r"configuration not applied, the earlier one stays in service: modelmesh.json:1:12: .*Did you mean 'port'"
        )
        assert one.post("/v1/chat/completions", CHAT)[0] == 200
        _write(path, vendor.config(proxy={"port": 9, "workers": 2}))
        one.send(signal.SIGHUP)
        one.wait_for_log("restart the proxy to change proxy.workers$|restart the proxy to change proxy.workers\n")
        assert one.stop() == 0


def test_a_change_during_the_start_is_applied(tmp_path: Path, vendor: SlowVendor, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "modelmesh.json"
    _write(path, vendor.config())

    def change_after_read(config: Any) -> ProxyApp:
        app = create_app(config)
        _write(path, _model(vendor.config(), "second"))
        return app

    monkeypatch.setattr(server_run, "create_app", change_after_read)
    with ProxyServer(path, port=0) as server:
        assert server._run is not None
        app = server._run.app
        assert app is not None
        wait_for(lambda: [model.model_id for model in app.services.mesh.list_models()] == ["second"])


def test_a_swapped_link_is_a_change(tmp_path: Path) -> None:
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "modelmesh.yaml").write_text("a")
        os.utime(tmp_path / folder / "modelmesh.yaml", (1, 1))
    data, file = tmp_path / "..data", tmp_path / "modelmesh.yaml"
    data.symlink_to("first")
    file.symlink_to("..data/modelmesh.yaml")
    watch = FileWatch(str(file))
    assert not watch.poll()
    (tmp_path / "new").symlink_to("second")
    (tmp_path / "new").replace(data)
    assert [watch.poll(), watch.poll(), watch.poll()] == [False, True, False]
    file.unlink()
    assert [watch.poll(), watch.poll()] == [False, False]

"""Events and log entries of a mesh: failover, filters, detail levels, and broken sinks."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest

from modelmesh import AllProvidersExhaustedError, BadRequestError, ModelMesh, create
from modelmesh._engine.telemetry import event_records
from modelmesh._engine.telemetry.events import EVENT_GROUPS, Emitter, Sink, event_types
from modelmesh.contracts import RULES, FailureClass
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.contracts.observability import EVENT_TYPES, RequestLogEntry, RoutingEvent
from modelmesh.errors import ConfigurationError
from modelmesh.testing import VirtualClock

MESSAGES = [{"role": "user", "content": "Hello!"}]


class Recorder:
    id = "test.recorder.v1"

    def __init__(self) -> None:
        self.events: list[RoutingEvent] = []
        self.entries: list[RequestLogEntry] = []
        self.closed = 0

    def emit(self, event: RoutingEvent) -> None:
        self.events.append(event)

    def log(self, entry: RequestLogEntry) -> None:
        self.entries.append(entry)

    def close(self) -> None:
        self.closed += 1


class Broken(Recorder):
    id = "test.broken.v1"

    def emit(self, event: RoutingEvent) -> None:
        super().emit(event)
        raise RuntimeError("no emit")

    def log(self, entry: RequestLogEntry) -> None:
        super().log(entry)
        raise RuntimeError("no log")


def failed(kind: FailureClass, status: int) -> Any:
    return RULES[kind].error(f"status {status}", failure=kind, status=status)


def mesh_of(providers: dict[str, Any], sink: Any, **observability: Any) -> tuple[ModelMesh, VirtualClock]:
    clock = VirtualClock()
    mesh = ModelMesh(clock=clock, sleep=clock.sleep, asleep=clock.asleep)
    mesh.initialize(
        {
            "providers": {name: {"instance": provider} for name, provider in providers.items()},
            "pools": {"chat-completion": {"recovery": {"cooldown": 60}}},
            "observability": {"instance": sink, **observability},
        }
    )
    return mesh, clock


def ask(mesh: ModelMesh, **arguments: Any) -> Any:
    return mesh.client.chat.completions.create(model="chat-completion", messages=MESSAGES, **arguments)


@pytest.mark.parametrize("sink", [None, Recorder()])
def test_records_are_built_for_subscribers_only(sink: Any, scripted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []
    for name in ("change_event", "failover_events", "limit_event", "request_log_entry"):
        build = getattr(event_records, name)
        monkeypatch.setattr(
            event_records, name, lambda *args, name=name, build=build, **facts: built.append(name) or build(*args, **facts)
        )
    down = scripted("x", answer=lambda *_: failed(FailureClass.CREDENTIAL, 401))
    settings = {"providers": {"a": {"instance": down}, "b": {"instance": scripted("y")}}, "pools": {"chat-completion": {}}}
    with create(config=settings | ({} if sink is None else {"observability": {"instance": sink}})) as client:
        client.chat.completions.create(model="chat-completion", messages=MESSAGES)
        client.chat.completions.create(model="chat-completion", messages=MESSAGES)
        assert client.mesh.stats().pool("chat-completion").requests_total == client.usage.total_requests == 2
    if sink is None:
        assert not built
    else:
        assert set(built) == {"change_event", "failover_events", "request_log_entry"}
        assert built.count("request_log_entry") == 2
        assert [event.event_type for event in sink.events] == ["provider_deactivated", "model_rotated"]
        assert [entry.model_id for entry in sink.entries] == ["y", "y"]


def test_failover_publishes_events_and_an_entry(scripted: Any) -> None:
    sink = Recorder()
    price = ModelPricing(input_per_1k_tokens=1.0, output_per_1k_tokens=2.0)
    mesh, _ = mesh_of(
        {
            "a": scripted("x", answer=lambda *_: failed(FailureClass.CREDENTIAL, 401)),
            "b": scripted(ModelInfo("y", pricing=price)),
        },
        sink,
    )
    with mesh:
        assert ask(mesh).model == "y"
    off, rotated = sink.events
    assert (off.event_type, off.provider_id, off.model_id, off.pool_id) == ("provider_deactivated", "a", None, "chat-completion")
    assert off.metadata["reason"] == "credential"
    assert (rotated.event_type, rotated.provider_id, rotated.model_id) == ("model_rotated", "b", "y")
    assert rotated.metadata == {"from": "a/x", "reason": "credential", "status": 401, "operation": "chat.completions"}
    (entry,) = sink.entries
    assert (entry.provider_id, entry.model_id, entry.pool_id, entry.delivery_mode) == ("b", "y", "chat-completion", "synchronous")
    assert entry.capability == "generation.text-generation.chat-completion"
    assert (entry.status_code, entry.error, entry.tokens_in, entry.tokens_out, entry.total_tokens) == (200, None, 5, 2, 7)
    assert entry.cost == pytest.approx(0.009)
    assert [(one["provider_id"], one["outcome"], one["status"]) for one in entry.attempts] == [
        ("a", "failed", 401),
        ("b", "answered", None),
    ]
    assert entry.request_id.startswith("req-")
    assert (entry.request_payload, entry.response_payload) == (None, None)
    assert {one.event_type for one in sink.events} <= set(EVENT_TYPES)
    assert sink.closed == 1


def test_standby_and_recovery_publish_events(scripted: Any) -> None:
    sink, down = Recorder(), [True]
    mesh, clock = mesh_of({"a": scripted("x", answer=lambda *_: failed(FailureClass.PERMISSION, 403) if down else _good())}, sink)
    with mesh:
        with pytest.raises(AllProvidersExhaustedError):
            ask(mesh)
        down.clear()
        clock.advance(3601)
        ask(mesh)
    assert [(one.event_type, one.model_id) for one in sink.events] == [("model_deactivated", "x"), ("model_activated", "x")]
    first, second = sink.entries
    assert (first.error, first.status_code, first.model_id) == ("AllProvidersExhaustedError", 403, None)
    assert (first.tokens_in, first.cost, first.total_tokens) == (None, None, None)
    assert (second.error, second.cost) == (None, None)


def _good() -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}]}


def test_caller_error_is_logged_without_event(scripted: Any) -> None:
    sink = Recorder()
    mesh, _ = mesh_of({"a": scripted("x", answer=lambda *_: failed(FailureClass.CALLER, 400)), "b": scripted("y")}, sink)
    with mesh, pytest.raises(BadRequestError):
        ask(mesh)
    assert sink.events == []
    assert (sink.entries[0].error, sink.entries[0].status_code) == ("BadRequestError", 400)


def test_manual_rotation_publishes_an_event(scripted: Any) -> None:
    sink = Recorder()
    mesh, _ = mesh_of({"a": scripted("x", "y")}, sink)
    with mesh:
        assert mesh.rotate("chat-completion") == "y"
        assert [(one.event_type, one.model_id, dict(one.metadata)) for one in sink.events] == [
            ("model_deactivated", "x", {"reason": "manual"}),
            ("model_rotated", "y", {"from": "x", "to": "y", "reason": "manual"}),
        ]


def test_manual_standby_is_published_once_with_its_pool(scripted: Any) -> None:
    sink = Recorder()
    mesh, _ = mesh_of({"a": scripted("x", answer=lambda *_: failed(FailureClass.PERMISSION, 403)), "b": scripted("y")}, sink)
    with mesh:
        pool = mesh.list_pools()[0]
        x, y = pool.members
        for change in (pool.deactivate, pool.deactivate, pool.recover, pool.recover):
            change(y)
        ask(mesh)
        pool.recover(x)
    published = [(one.event_type, one.model_id, one.pool_id, one.metadata["reason"]) for one in sink.events]
    assert published == [
        ("model_deactivated", "y", "chat-completion", "manual"),
        ("model_activated", "y", "chat-completion", "manual"),
        ("model_deactivated", "x", "chat-completion", "permission"),
        ("model_rotated", "y", "chat-completion", "permission"),
        ("model_activated", "x", "chat-completion", "manual"),
    ], "the last event is published at shutdown, without a later request"


def test_async_request_publishes_the_same_events(scripted: Any) -> None:
    published = []
    for run in (ask, lambda mesh: asyncio.run(_aask(mesh))):
        sink = Recorder()
        mesh, _ = mesh_of({"a": scripted("x", answer=lambda *_: failed(FailureClass.SERVER, 500)), "b": scripted("y")}, sink)
        with mesh:
            run(mesh)
        published.append(
            ([one.event_type for one in sink.events], [(e.model_id, e.status_code, len(e.attempts)) for e in sink.entries])
        )
    assert published[0] == published[1]
    assert published[0][0] == ["model_rotated"]


async def _aask(mesh: ModelMesh) -> Any:
    return await mesh.get_client().chat.completions.create(model="chat-completion", messages=MESSAGES)


# -- filters, roles and levels ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        (None, ["provider_deactivated", "model_rotated"]),
        ([], ["provider_deactivated", "model_rotated"]),
        (["rotation"], ["model_rotated"]),
        (["deactivation"], ["provider_deactivated"]),
        (["provider_deactivated", "rotation"], ["provider_deactivated", "model_rotated"]),
        (["recovery", "health"], []),
    ],
)
def test_event_filters(written: Any, heard: list[str], scripted: Any) -> None:
    sink = Recorder()
    more = {} if written is None else {"events": {"filter": written}}
    mesh, _ = mesh_of(
        {"a": scripted("x", answer=lambda *_: failed(FailureClass.CREDENTIAL, 401)), "b": scripted("y")}, sink, **more
    )
    with mesh:
        ask(mesh)
    assert [one.event_type for one in sink.events] == heard
    assert len(sink.entries) == 1  # an event filter does not affect log entries


def test_event_groups_contain_event_types() -> None:
    assert event_types(list(EVENT_GROUPS)) <= frozenset(EVENT_TYPES)
    assert event_types(["model_rotated", "rotation"]) == {"model_rotated"}


@pytest.mark.parametrize("roles", [["routing"], ["logging"], ["routing", "logging"], []])
def test_sink_roles(roles: list[str]) -> None:
    sink = Recorder()
    emitter = Emitter((Sink(sink, frozenset(roles)),))
    emitter.emit(RoutingEvent("model_rotated", 0.0))
    emitter.log(entry())
    assert (len(sink.events), len(sink.entries)) == ("routing" in roles, "logging" in roles)


def entry(**facts: Any) -> RequestLogEntry:
    return RequestLogEntry("req-test", 0.0, "m", "p", "pool", "c", "synchronous", 200, 1.0, **facts)


@pytest.mark.parametrize(
    ("level", "request_shown", "response_shown"),
    [
        ("metadata", None, None),
        ("full", {"text": "a" * 30}, "b" * 30),
        ("summary", {"text": "a" * 8 + "…"}, "b" * 20 + "…"),
    ],
)
def test_detail_levels(level: str, request_shown: Any, response_shown: Any) -> None:
    sink = Recorder()
    Emitter((Sink(sink, level=level, max_payload_size=20),)).log(
        entry(request_payload={"text": "a" * 30}, response_payload="b" * 30)
    )
    assert (sink.entries[0].request_payload, sink.entries[0].response_payload) == (request_shown, response_shown)


def test_summary_payload_is_a_map_with_shorter_texts() -> None:
    sink = Recorder()
    payload = {
        "messages": [{"role": "user", "content": "c" * 500}, {"role": "assistant", "content": "d" * 500}],
        "temperature": 0.5,
    }
    Emitter((Sink(sink, level="summary", max_payload_size=200),)).log(entry(request_payload=payload))
    shown = sink.entries[0].request_payload
    assert [message["role"] for message in shown["messages"]] == ["user", "assistant"]
    assert shown["temperature"] == 0.5
    assert len(json.dumps(shown, ensure_ascii=False, separators=(",", ":"))) <= 200
    assert shown["messages"][0]["content"].startswith("ccc")


def test_short_payload_is_not_truncated() -> None:
    sink = Recorder()
    Emitter((Sink(sink, level="summary", max_payload_size=20),)).log(entry(request_payload="b" * 20))
    assert (sink.entries[0].request_payload, sink.entries[0].response_payload) == ("b" * 20, None)


@pytest.mark.parametrize("level", ["metadata", "summary", "full"])
def test_detail_levels_of_a_mesh(level: str, scripted: Any) -> None:
    sink = Recorder()
    mesh, _ = mesh_of({"a": scripted("x")}, sink, logging={"level": level, "max_payload_size": 40})
    with mesh:
        ask(mesh, temperature=0.5)
    shown = sink.entries[0]
    if level == "metadata":
        assert (shown.request_payload, shown.response_payload) == (None, None)
    elif level == "summary":
        for payload in (shown.request_payload, shown.response_payload):
            text = payload[:40] if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
            assert len(text) <= 40
    else:
        assert shown.request_payload == {"messages": MESSAGES, "temperature": 0.5}
        assert shown.response_payload["choices"][0]["message"]["content"] == "answer of x"


def test_hook_plugins_receive_no_payloads() -> None:
    heard = []
    Emitter((Sink(Recorder(), level="full"),), (("modelmesh_request_finished", heard.append),)).log(
        entry(request_payload="secret text")
    )
    assert heard == [entry()]


# -- broken sinks ---------------------------------------------------------------------------------------------------


def test_broken_sink_is_logged_once_and_counted(scripted: Any, caplog: pytest.LogCaptureFixture) -> None:
    broken, sink = Broken(), Recorder()
    emitter = Emitter((Sink(broken), Sink(sink)))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            emitter.emit(RoutingEvent("model_rotated", 0.0))
            emitter.log(entry())
    assert (len(broken.events), len(sink.events), len(broken.entries), len(sink.entries)) == (3, 3, 3, 3)
    assert emitter.failures == {"test.broken.v1": 6}
    assert caplog.text.count("raised RuntimeError: no emit; further failures are only counted") == 1
    assert f"test.broken.v1 ({__file__}:" in caplog.text
    assert len(caplog.records) == 1


def test_broken_sink_fails_no_request(scripted: Any) -> None:
    mesh, _ = mesh_of({"a": scripted("x", answer=lambda *_: failed(FailureClass.SERVER, 500)), "b": scripted("y")}, Broken())
    with mesh:
        assert ask(mesh).model == "y"


@pytest.mark.parametrize("missing", ["emit", "log"])
def test_sink_without_a_method_is_refused_at_start(missing: str, scripted: Any) -> None:
    sink = type("Half", (), {"id": "test.half.v1", **{name: print for name in ("emit", "log") if name != missing}})()
    with pytest.raises(
        ConfigurationError, match=rf"observability.instance: Half is not an observability sink: missing method {missing}\(\)"
    ):
        create(config={"providers": {"a": {"instance": scripted()}}, "pools": {"chat": {}}, "observability": {"instance": sink}})


def test_emitter_has_no_subscribers_by_default(scripted: Any) -> None:
    for section in (None, {"connector": "modelmesh.null.v1"}, "modelmesh.null.v1"):
        with create(
            config={"providers": {"a": {"instance": scripted()}}, "pools": {"chat": {}}, "observability": section}
        ) as client:
            assert not client.mesh._running.emitter.has_subscribers

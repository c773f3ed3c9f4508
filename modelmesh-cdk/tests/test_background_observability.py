"""Base class of sinks that write in a background thread: records as they were at the call, counts and life cycle."""

from __future__ import annotations

import gc
import json
import threading
import weakref
from threading import Event
from typing import Any

import pytest
from attrs import define
from hypothesis import given
from hypothesis import strategies as st

import modelmesh
from modelmesh.contracts.observability import AggregateStats, RequestLogEntry, RoutingEvent, TraceEntry
from modelmesh.errors import ConfigurationError
from modelmesh_cdk import BackgroundObservability, BaseObservability, BaseObservabilityConfig
from modelmesh_cdk.observability.redaction import REDACTED
from modelmesh_cdk.observability.snapshots import Snapshot, copy_plain
from modelmesh_cdk.testing import InProcessAccount

NOW = 1_763_700_000.125
WAIT_S = 30.0


class Lines(BackgroundObservability):
    id = "test.lines.v1"

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.lines: list[str] = []
        self.gate = Event()
        self.gate.set()

    def _write(self, line: str) -> None:
        assert self.gate.wait(WAIT_S)
        self.lines.append(line)

    @property
    def records(self) -> list[Any]:
        assert self.drain(WAIT_S)
        return [json.loads(line) for line in self.lines]


class SynchronousLines(BaseObservability):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def _write(self, line: str) -> None:
        self.lines.append(line)


def entry(**facts: Any) -> RequestLogEntry:
    return RequestLogEntry("req-test", NOW, "m", "p", "pool", "c", "synchronous", 200, 1.5, **facts)


def mesh_with(sink: Any) -> Any:
    providers = {"a": {"instance": InProcessAccount("model-of-the-kit")}}
    section = {"instance": sink, "logging": {"level": "full"}}
    return modelmesh.create(config={"providers": providers, "pools": {"chat-completion": {}}, "observability": section})


def test_later_change_of_a_payload_does_not_change_the_record() -> None:
    sink = Lines()
    sink.gate.clear()
    message = {"role": "user", "content": [{"type": "text", "text": "before"}]}
    attempt = {"number": 1, "usage": {"prompt_tokens": 1}}
    facts = {"list": [1]}
    sink.log(entry(attempts=(attempt,), request_payload={"messages": [message]}, response_payload=[message]))
    sink.emit(RoutingEvent("model_rotated", NOW, metadata=facts))
    sink.trace(TraceEntry("info", NOW, "router", "x", facts))
    message["content"][0]["text"] = "after"  # type: ignore[index]
    attempt["usage"]["prompt_tokens"] = 2  # type: ignore[index]
    facts["list"].append(2)
    sink.gate.set()
    log, event, trace = sink.records
    text = json.dumps(log)
    assert ("before" in text, "after" in text) == (True, False)
    assert log["attempts"][0]["usage"] == {"prompt_tokens": 1}
    assert event["metadata"] == trace["metadata"] == {"list": [1]}


def test_later_change_of_an_answer_does_not_change_the_record() -> None:
    sink = Lines()
    sink.gate.clear()
    client = mesh_with(sink)
    reply = client.chat.completions.create(model="chat-completion", messages=[{"role": "user", "content": "hi"}])
    reply.choices[0].message["content"] = "changed by the caller"
    sink.gate.set()
    client.close()
    assert "changed by the caller" not in "".join(sink.lines)
    assert sink.records[-1]["response_payload"]["choices"][0]["message"]["content"]


class _Odd:
    text = "odd"

    def __str__(self) -> str:
        return self.text


@define
class _Attrs:
    api_key: str
    items: list[int]


class _Text(str):
    __slots__ = ()


plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
odd = st.sampled_from([_Odd(), _Attrs("sk-test-1", [1]), _Text("token=abcd"), b"\xff", {1}, frozenset({2}), (1, (2,))])
values = st.recursive(
    plain | odd,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | st.just("api_key"), inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_record_equals_the_record_of_a_synchronous_sink(value: Any) -> None:
    later, now = Lines(), SynchronousLines()
    for sink in (later, now):
        sink.emit(RoutingEvent("model_rotated", NOW, metadata={"fact": value}))
        sink.log(entry(request_payload=value, response_payload=value, attempts=({"number": 1, "fact": value},)))
        sink.trace(TraceEntry("error", NOW, "router", "x", {"fact": value}))
    later.close()
    assert later.lines == now.lines
    assert "sk-test-1" not in "".join(later.lines)


def test_value_of_another_type_becomes_text_at_the_call() -> None:
    odd = _Odd()
    copied = copy_plain({"odd": odd, "set": {1}})
    odd.text = "changed"
    assert copied == {"odd": "odd", "set": "{1}"}


def test_snapshot_counts_the_characters_of_payloads() -> None:
    assert Snapshot(entry(request_payload={"a": ["xx", {"b": "yyy"}]}, response_payload="zzzz")).chars == 9
    assert Snapshot(RoutingEvent("model_rotated", NOW, metadata={"a": "xx"})).chars == 0


def test_secrets_are_redacted() -> None:
    sink = Lines()
    sink.log(entry(request_payload={"headers": {"authorization": "Bearer abc-test"}, "note": "token=abcd-efgh"}))
    [log] = sink.records
    assert log["request_payload"] == {"headers": {"authorization": REDACTED}, "note": f"token={REDACTED}"}


def test_statistics_of_many_scopes_are_one_record_of_the_queue() -> None:
    sink = Lines({"queue_size": 2})
    sink.gate.clear()
    sink.flush({f"model:{number}": AggregateStats(requests_total=number) for number in range(100)})
    sink.gate.set()
    assert [one["requests_total"] for one in sink.records] == list(range(100))
    assert sink.dropped_records == 0


def test_trace_below_min_severity_is_not_enqueued() -> None:
    sink = Lines({"min_severity": "error", "queue_size": 1})
    sink.gate.clear()
    for _ in range(10):
        sink.trace(TraceEntry("info", NOW, "mesh", "x"))
    assert sink.dropped_records == 0
    sink.gate.set()
    assert sink.records == []


def test_mesh_counts_drops_and_failures(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Lines):
        def _write(self, line: str) -> None:
            super()._write(line)
            message = "disk full"
            raise OSError(message)

    sink = Failing({"queue_size": 1})
    client = mesh_with(sink)
    assert (client.mesh.sink_failures, client.mesh.sink_drops) == ({}, {})
    client.chat.completions.create(model="chat-completion", messages=[])
    assert sink.drain(WAIT_S)
    sink.gate.clear()
    for _ in range(5):
        client.chat.completions.create(model="chat-completion", messages=[])
    sink.gate.set()
    client.close()
    assert client.mesh.sink_failures == {"test.lines.v1": sink.failed_records}
    assert client.mesh.sink_drops == {"test.lines.v1": sink.dropped_records}
    assert sink.dropped_records >= 3
    assert sink.failed_records + sink.dropped_records == 6
    assert caplog.text.count("raised OSError: disk full; further failures are only counted") == 1
    assert f"test.lines.v1 ({__file__}:" in caplog.text


def test_format_failure_is_counted_and_the_next_record_is_written() -> None:
    class Odd(Lines):
        def _format_event(self, event: RoutingEvent) -> str:
            return f"{1 / event.timestamp}"

    sink = Odd()
    sink.emit(RoutingEvent("model_rotated", 0.0))
    sink.emit(RoutingEvent("model_rotated", 2.0))
    sink.close()
    assert (sink.lines, sink.failed_records) == (["0.5"], 1)


@pytest.mark.parametrize("size", [0, -1, True, "10", None, 1.5])
def test_invalid_queue_size_is_an_error(size: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"'queue_size' of test\.lines\.v1 must be an integer of at least 1"):
        Lines({"queue_size": size})


def test_settings_of_the_synchronous_base_are_accepted() -> None:
    sink = Lines(BaseObservabilityConfig(redact=False))
    sink.emit(RoutingEvent("model_rotated", NOW, metadata={"api_key": "sk-test-1"}))
    assert sink.records[0]["metadata"] == {"api_key": "sk-test-1"}
    sink.close()


def test_sink_that_is_not_closed_is_collected_with_its_thread() -> None:
    sink = Lines()
    sink.emit(RoutingEvent("model_rotated", NOW))
    assert sink.drain(WAIT_S)
    [thread] = [one for one in threading.enumerate() if one.name == "modelmesh-test.lines.v1"]
    reference = weakref.ref(sink)
    del sink
    gc.collect()
    assert reference() is None
    thread.join(WAIT_S)
    assert not thread.is_alive()


def test_waiting_records_of_a_collected_sink_are_written() -> None:
    sink = Lines()
    sink.gate.clear()
    lines, gate = sink.lines, sink.gate
    for _ in range(10):
        sink.emit(RoutingEvent("model_rotated", NOW))
    [thread] = [one for one in threading.enumerate() if one.name == "modelmesh-test.lines.v1"]
    del sink
    gate.set()
    thread.join(WAIT_S)
    assert len(lines) == 10

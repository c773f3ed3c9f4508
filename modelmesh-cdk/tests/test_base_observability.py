"""Base class of sinks: one line for each record, without secrets."""

from __future__ import annotations

import json
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh.contracts.observability import SEVERITIES, AggregateStats, RequestLogEntry, RoutingEvent, TraceEntry
from modelmesh_cdk import BaseObservability, BaseObservabilityConfig
from modelmesh_cdk.observability.base import iso
from modelmesh_cdk.observability.redaction import REDACTED, redact

NOW = 1_763_700_000.125


class Lines(BaseObservability):
    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.lines: list[str] = []

    def _write(self, line: str) -> None:
        self.lines.append(line)

    @property
    def records(self) -> list[Any]:
        return [json.loads(line) for line in self.lines]


def entry(**facts: Any) -> RequestLogEntry:
    return RequestLogEntry("req-test", NOW, "m", "p", "pool", "c", "synchronous", 200, 1.5, **facts)


def test_record_is_one_line_of_json() -> None:
    sink = Lines()
    sink.emit(RoutingEvent("model_rotated", NOW, "m", "p", "pool", {"from": "a\nb"}))
    sink.log(entry(tokens_in=5, tokens_out=2, cost=0.5))
    sink.flush({"model:m": AggregateStats(requests_total=3), "pool:x": AggregateStats()})
    sink.trace(TraceEntry("warning", NOW, "router", "slow", error="E"))
    assert all("\n" not in line for line in sink.lines)
    event, log, model, pool, trace = sink.records
    assert event == {
        "type": "event",
        "timestamp": "2025-11-21T04:40:00.125Z",
        "event_type": "model_rotated",
        "model_id": "m",
        "provider_id": "p",
        "pool_id": "pool",
        "metadata": {"from": "a\nb"},
    }
    assert (log["type"], log["request_id"], log["total_tokens"], log["cost"], log["latency_ms"]) == (
        "log",
        "req-test",
        7,
        0.5,
        1.5,
    )
    assert "error" not in log  # what is not known is not there
    assert (model["scope_id"], model["requests_total"], pool["scope_id"]) == ("model:m", 3, "pool:x")
    assert (trace["severity"], trace["component"], trace["message"], trace["error"]) == ("warning", "router", "slow", "E")


def test_iso_time_is_in_utc() -> None:
    assert iso(0.0) == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize("least", SEVERITIES)
def test_trace_below_min_severity_is_dropped(least: str) -> None:
    sink = Lines({"min_severity": least})
    for severity in SEVERITIES:
        sink.trace(TraceEntry(severity, NOW, "mesh", "x"))
    assert [one["severity"] for one in sink.records] == list(SEVERITIES[SEVERITIES.index(least) :])


@pytest.mark.parametrize(
    ("text", "blanked"),
    [
        ('{"api_key": "sk-test"}', f'{{"api_key": "{REDACTED}"}}'),
        ('{"API-KEY":"sk-test","a":1}', f'{{"API-KEY":"{REDACTED}","a":1}}'),
        ("{'openai_api_key': 'sk-test'}", f"{{'openai_api_key': '{REDACTED}'}}"),
        ('{"password": "a\\"b", "secret": "x"}', f'{{"password": "{REDACTED}", "secret": "{REDACTED}"}}'),
        (
            '{"access_token": "abc", "Authorization": "Basic xyz"}',
            f'{{"access_token": "{REDACTED}", "Authorization": "{REDACTED}"}}',
        ),
        ("Authorization failed for Bearer sk-test-123", f"Authorization failed for Bearer {REDACTED}"),
        ('{"tokens_in": 5, "max_tokens": 7, "token": 5}', '{"tokens_in": 5, "max_tokens": 7, "token": 5}'),
        ('{"content": "the secret of success"}', '{"content": "the secret of success"}'),
    ],
)
def test_redact_hides_secrets(text: str, blanked: str) -> None:
    assert redact(text) == blanked


@given(
    st.text(max_size=60),
    st.sampled_from(["api_key", "token", "secret", "password", "authorization"]),
    st.text("abcdefgh0123", min_size=4, max_size=20),
)
def test_redact_is_idempotent(around: str, name: str, value: str) -> None:
    for text in (
        around,
        json.dumps({name: value, "text": around}),
        f"{around} Bearer {value}",
        str({name: value, "text": around}),
    ):
        once = redact(text)
        assert redact(once) == once
    assert value not in redact(json.dumps({name: value}))


def test_line_contains_no_secret_unless_redact_is_off() -> None:
    for config, shown in (({}, False), ({"redact": True}, False), ({"redact": False}, True), ({"redact_secrets": False}, True)):
        sink = Lines(config)
        sink.log(entry(request_payload={"headers": {"authorization": "Bearer abc-test"}, "user": {"password": "pw-test"}}))
        assert ("abc-test" in sink.lines[0]) is shown
        assert ("pw-test" in sink.lines[0]) is shown
        assert json.loads(sink.lines[0])["request_payload"]["user"]


def test_format_hooks_replace_the_line() -> None:
    class Mine(Lines):
        def _format_event(self, event: RoutingEvent) -> str:
            return f"event {event.event_type}"

        def _format_log(self, entry: RequestLogEntry) -> str:
            return f"log {entry.model_id}"

        def _format_stats(self, scope: str, stats: AggregateStats) -> str:
            return f"stats {scope}"

        def _format_trace(self, entry: TraceEntry) -> str:
            return f"trace {entry.message} Bearer sk-test-1"

    sink = Mine()
    sink.emit(RoutingEvent("model_rotated", NOW))
    sink.log(entry())
    sink.flush({"x": AggregateStats()})
    sink.trace(TraceEntry("info", NOW, "mesh", "hi"))
    assert sink.lines == ["event model_rotated", "log m", "stats x", f"trace hi Bearer {REDACTED}"]


def test_write_calls_are_serialized() -> None:
    class Slow(Lines):
        writing = 0
        most = 0

        def _write(self, line: str) -> None:
            Slow.writing += 1
            Slow.most = max(Slow.most, Slow.writing)
            super()._write(line)
            Slow.writing -= 1

    sink = Slow()
    threads = [Thread(target=lambda: [sink.log(entry()) for _ in range(100)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(sink.lines), Slow.most) == (800, 1)


def test_line_writes_other_types_as_text() -> None:
    sink = Lines()
    sink.log(entry(request_payload={"object": SEVERITIES.__class__, "é": {1}}))
    assert "é" in sink.lines[0]
    assert sink.records


def test_config_accepts_known_and_other_keys() -> None:
    config = BaseObservabilityConfig.of({"redact_secrets": False, "min_severity": "error", "path": "x"})
    assert (config.redact, config.min_severity, config.options) == (False, "error", {"path": "x"})
    assert Lines(config).config is config
    Lines().close()

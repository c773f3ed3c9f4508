"""Conformance tests of observability sinks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event, get_ident
from typing import Any, ClassVar

import pytest

import modelmesh
from modelmesh._engine.plugins.resolver import build
from modelmesh.contracts import Kind
from modelmesh.contracts.observability import (
    EVENT_TYPES,
    SEVERITIES,
    AggregateStats,
    RequestLogEntry,
    RoutingEvent,
    TraceEntry,
)
from modelmesh_cdk.observability.background import BackgroundObservability
from modelmesh_cdk.testing.accounts import InProcessAccount
from modelmesh_cdk.testing.naming import NamedConnector

NOW = 1_795_262_400.0
GATE_S = 60.0
"""How long a write waits for a test that does not open the gate."""

SECRET = "sk-test-of-the-conformance-kit"  # noqa: S105 - what must not be seen


NOTHING: Mapping[str, Any] = {}


class _Odd:
    """A value that cannot be written as JSON, compared or copied."""

    def __repr__(self) -> str:
        return "<odd>"


ODD: Mapping[str, Any] = {
    "unicode": "Grüß dich 🌍 \ud800",
    "control": "\x00\x1b[31m\r\n\t",
    "not a number": float("nan"),
    "endless": float("inf"),
    "bytes": b"\xff",
    "object": _Odd(),
    "nested": {"list": [None, {"deep": (1, 2)}], "": 0},
    "long": "x" * 20_000,
}
"""Unusual values of metadata."""


def events(metadata: Mapping[str, Any]) -> list[RoutingEvent]:
    """Return an event of each type, one of an unknown type, and one without details."""
    whole = [RoutingEvent(kind, NOW, "model-a", "provider-a", "chat-completion", metadata) for kind in EVENT_TYPES]
    return [*whole, RoutingEvent("an_event_of_tomorrow", NOW), RoutingEvent("model_rotated", 0.0, metadata=metadata)]


def entries(payload: Mapping[str, Any]) -> list[RequestLogEntry]:
    """Return a successful request, a failed one, and one with unknown facts."""
    head = ("chat-completion", "generation.text-generation.chat-completion", "synchronous")
    attempt = {"provider": "provider-a", "model": "model-a", "failure": None, "status": 200, "ms": 12.5, **payload}
    return [
        RequestLogEntry(
            "req-test-1",
            NOW,
            "model-a",
            "provider-a",
            *head,
            200,
            12.5,
            5,
            2,
            0.0001,
            None,
            "its turn",
            (attempt,),
            payload,
            payload,
        ),
        RequestLogEntry("req-test-2", NOW, None, None, *head, 429, 3.0, error="RateLimitError", attempts=(attempt, attempt)),
        RequestLogEntry("req-test-3", NOW, None, None, *head, None, 0.0),
    ]


def steps(metadata: Mapping[str, Any]) -> list[TraceEntry]:
    """Return a step of each severity, and one with an error of several lines."""
    whole = [TraceEntry(severity, NOW, "router", f"a step of severity {severity}", metadata) for severity in SEVERITIES]
    return [*whole, TraceEntry("error", NOW, "pool.chat-completion", "went wrong", metadata, "ValueError: first\nsecond")]


STATS = {
    "model:model-a": AggregateStats(3, 2, 1, 15, 6, 0.0003, 12.5, 20.0, 0.0, 1),
    "provider:none": AggregateStats(),
    "pool:chat-completion": AggregateStats(requests_total=1, cost_total=None),
}


class ObservabilityConformance(NamedConnector):
    """Derive a test class and set ``sink_class``. Override ``written`` if the output can be read.

    Example:
        ::

            class TestLines(ObservabilityConformance):
                sink_class = Lines

                def written(self, capfd, tmp_path):
                    return capfd.readouterr().out
    """

    kind = Kind.OBSERVABILITY

    sink_class: ClassVar[Any]
    """Class of the entry point."""

    settings: ClassVar[Mapping[str, Any]] = {}
    """Settings as in a configuration file. ``{tmp_path}`` in a text is the test's temporary folder."""

    redacts: bool = True
    """Whether the sink redacts secrets with the setting ``redact``, which is the default."""

    @property
    def defers_output(self) -> bool:
        """Whether ``_write`` runs in a background thread, by default for every ``BackgroundObservability``."""
        return issubclass(self.sink_class, BackgroundObservability)

    @property
    def connector(self) -> Any:
        """The class under test."""
        return self.sink_class

    def written(self, capfd: pytest.CaptureFixture[str], tmp_path: Any) -> str:
        """Return the output since the last call, by default of the console."""
        return "".join(capfd.readouterr())

    @pytest.fixture
    def make(self, tmp_path: Any) -> Iterator[Callable[..., Any]]:
        """Factory of sinks, which are closed after the test."""
        made: list[Any] = []

        def sink(**settings: Any) -> Any:
            filled = {
                name: value.replace("{tmp_path}", str(tmp_path)) if isinstance(value, str) else value
                for name, value in self.settings.items()
            }
            made.append(build(self.sink_class, {**filled, **settings}, self.sink_class.id))
            return made[-1]

        yield sink
        for one in made:
            with suppress(Exception):  # a test of its own closes twice
                close(one)

    @pytest.fixture
    def sink(self, make: Callable[..., Any]) -> Any:
        """A sink with the settings of the test class."""
        return make(min_severity="debug")

    def report_all(self, sink: Any, metadata: Mapping[str, Any] = NOTHING) -> None:
        """Pass records of every type to a sink, with this value in all metadata."""
        for event in events(metadata):
            sink.emit(event)
        for entry in entries(metadata):
            sink.log(entry)
        for step in steps(metadata):
            sink.trace(step)
        sink.flush(STATS)

    def test_event_accepts_every_type(self, sink: Any) -> None:
        """Routing events of every type are accepted, including an unknown type."""
        for event in events({"reason": "throttle", "seconds": 1.5}):
            sink.emit(event)

    def test_request_record_accepts_every_outcome(self, sink: Any) -> None:
        """Records of requests are accepted: successful, failed and with unknown facts."""
        for entry in entries(NOTHING):
            sink.log(entry)

    def test_trace_accepts_every_severity(self, sink: Any) -> None:
        """Trace steps of every severity are accepted."""
        for step in steps({"pool": "chat-completion"}):
            sink.trace(step)

    def test_statistics_accept_unknown_cost(self, sink: Any) -> None:
        """Statistics are accepted, including empty ones. An unknown cost stays unknown."""
        sink.flush(STATS)
        sink.flush({})

    @pytest.mark.parametrize("name", ODD)
    def test_metadata_of_any_type_does_not_raise(self, name: str, sink: Any) -> None:
        """Metadata of any type is accepted, because a sink that raises is switched off."""
        self.report_all(sink, {name: ODD[name]})

    def test_record_is_not_changed(self, sink: Any) -> None:
        """A sink does not modify a record, because all sinks share it."""
        metadata = {"reason": "throttle", "nested": {"list": [1]}}
        self.report_all(sink, metadata)
        assert metadata == {"reason": "throttle", "nested": {"list": [1]}}

    def test_redact_removes_secrets(self, make: Callable[..., Any], capfd: pytest.CaptureFixture[str], tmp_path: Any) -> None:
        """With ``redact``, keys and bearer tokens are not written. Other text is."""
        self.require("redacts")
        sink = make(redact=True, min_severity="debug")
        self.report_all(sink, {"api_key": SECRET, "note": "beside-the-secret", "header": f"Bearer {SECRET}"})
        close(sink)
        written = self.written(capfd, tmp_path)
        assert SECRET not in written
        assert "beside-the-secret" in written, "the output cannot be read: override written()"

    def test_records_of_threads_are_not_mixed(
        self, make: Callable[..., Any], capfd: pytest.CaptureFixture[str], tmp_path: Any
    ) -> None:
        """Records of several threads are neither mixed nor lost."""
        sink = make(min_severity="debug")
        names = [f"note-{number:04}-end" for number in range(200)]
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda name: sink.trace(TraceEntry("info", NOW, "router", name)), names))
        close(sink)
        written = self.written(capfd, tmp_path)
        assert sorted(name for name in names if name in written) == names

    def test_call_does_not_wait_for_output(
        self, make: Callable[..., Any], capfd: pytest.CaptureFixture[str], tmp_path: Any
    ) -> None:
        """A call returns while the output is blocked. Closing writes the records that wait."""
        self.require("defers_output")
        sink, gate, caller = make(min_severity="debug"), Event(), get_ident()
        write, on_caller = sink._write, []  # noqa: SLF001 - the hook of every sink that derives from the kit

        def wait_and_write(line: str) -> None:
            if get_ident() == caller:
                on_caller.append(line)
            else:
                gate.wait(GATE_S)
            write(line)

        sink._write = wait_and_write  # noqa: SLF001
        names = [f"note-{number:04}-end" for number in range(50)]
        try:
            for name in names:
                sink.trace(TraceEntry("info", NOW, "router", name))
            early = ""
            with suppress(FileNotFoundError):  # a sink creates its file with the first line
                early = self.written(capfd, tmp_path)
        finally:
            gate.set()
        close(sink)
        assert not on_caller, "_write was called in the thread of the caller"
        assert names[0] not in early, "a record was written without _write, in the thread of the caller"
        written = self.written(capfd, tmp_path)
        assert [name for name in names if name not in written] == [], "records are lost at close"

    def test_close_may_be_repeated(self, make: Callable[..., Any]) -> None:
        """A second close has no effect, whether or not the sink was used."""
        for used in (False, True):
            sink = make()
            if used:
                self.report_all(sink)
            close(sink)
            close(sink)

    def test_repr_shows_no_secret(self, sink: Any) -> None:
        """The representation of the sink shows no record."""
        self.report_all(sink, {"api_key": SECRET})
        assert SECRET not in f"{sink!r} {sink} {getattr(sink, 'config', '')!r}"

    def test_request_of_mesh_is_recorded(self, sink: Any, capfd: pytest.CaptureFixture[str], tmp_path: Any) -> None:
        """A request that a mesh serves is recorded."""
        config = {
            "providers": {"a": {"instance": InProcessAccount("model-of-the-kit")}},
            "pools": {"chat-completion": {}},
            "observability": {"instance": sink},
        }
        with modelmesh.create(config=config) as client:
            client.chat.completions.create(model="chat-completion", messages=[])
        close(sink)
        assert "model-of-the-kit" in self.written(capfd, tmp_path)


def close(sink: Any) -> None:
    """Close a sink that has a ``close`` method."""
    closing = getattr(sink, "close", None)
    if closing is not None:
        closing()

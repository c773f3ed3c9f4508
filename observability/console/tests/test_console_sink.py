"""Console sink: one printable line for each event and request."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from contextlib import redirect_stderr
from importlib.metadata import entry_points
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelmesh_observability_console import ConsoleObservability

from modelmesh.contracts.observability import AggregateStats, RequestLogEntry, RoutingEvent, TraceEntry
from modelmesh.errors import ConfigurationError

HELLO = [{"role": "user", "content": "Hello"}]
NOW = 1_763_700_000.0
ESCAPE = "\x1b["


class Terminal(io.StringIO):
    """Stream that reports to be a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def ask(client: Any, **arguments: Any) -> None:
    with client:
        client.chat.completions.create(model="chat-completion", messages=HELLO, **arguments)


def event(**facts: Any) -> RoutingEvent:
    return RoutingEvent("model_rotated", NOW, facts.pop("model", "m"), "p", "pool", facts)


def entry(**facts: Any) -> RequestLogEntry:
    return RequestLogEntry(
        **{
            "request_id": "r", "timestamp": NOW, "model_id": "m", "provider_id": "p", "pool_id": "pool", "capability": "c",
            "delivery_mode": "synchronous", "status_code": 200, "latency_ms": 12.4, **facts,
        }
    )  # fmt: skip


def lines_of(send: Callable[[ConsoleObservability], object], **options: Any) -> list[str]:
    sink = ConsoleObservability(options)
    with redirect_stderr(io.StringIO()) as stream:
        send(sink)
    sink.close()
    return stream.getvalue().splitlines()


def test_id_is_the_name_of_the_entry_point() -> None:
    prefix = "modelmesh_observability_console:"
    [point] = [p for p in entry_points(group="modelmesh.observability") if p.value.startswith(prefix)]
    assert point.load() is ConsoleObservability
    assert (point.name, ConsoleObservability.id) == ("modelmesh.console.v1", "modelmesh.console.v1")


def test_failover_is_three_lines(mesh: Any, capsys: pytest.CaptureFixture[str]) -> None:
    ask(mesh("modelmesh.console.v1"))
    out, err = capsys.readouterr()
    lines = [re.sub(r"\d\d:\d\d:\d\d", "TIME", line) for line in err.splitlines()]
    assert out == ""
    assert lines[0] == "[ModelMesh] TIME model_deactivated model=model-a provider=a pool=chat-completion reason=server"
    assert lines[1] == (
        "[ModelMesh] TIME model_rotated model=model-b provider=b pool=chat-completion from=a/model-a reason=server status=500 "
        "operation=chat.completions"
    )
    assert re.fullmatch(r"\[ModelMesh\] TIME 200 b/model-b \d+ms tokens=3\+2 \$0\.000007 attempts=2", lines[2])
    assert len(lines) == 3


def test_failed_request_shows_pool_and_error(mesh: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Exception, match="pool "):
        ask(mesh("modelmesh.console.v1", second_down=True))
    last = capsys.readouterr().err.splitlines()[-1]
    assert re.search(r" 500 pool chat-completion \d+ms attempts=\d AllProvidersExhaustedError$", last)


def test_colours_appear_only_on_a_terminal(mesh: Any) -> None:
    terminal, file = Terminal(), io.StringIO()
    client = mesh("modelmesh.console.v1")
    with redirect_stderr(terminal):
        client.chat.completions.create(model="chat-completion", messages=HELLO)
    with redirect_stderr(file):
        ask(client)
    text = terminal.getvalue()
    assert "\x1b[31mmodel_deactivated\x1b[0m" in text
    assert "\x1b[33mmodel_rotated\x1b[0m" in text
    assert "\x1b[32m200\x1b[0m" in text
    assert " 200 b/model-b " in file.getvalue()
    assert ESCAPE not in file.getvalue()


@pytest.mark.parametrize(
    ("variables", "options", "coloured"),
    [
        ({}, {}, True),
        ({"NO_COLOR": "1"}, {}, False),
        ({"NO_COLOR": ""}, {}, True),
        ({"TERM": "dumb"}, {}, False),
        ({}, {"use_color": False}, False),
        ({}, {"colorize": False}, False),
        ({"NO_COLOR": "1"}, {"use_color": True}, True),
    ],
)
def test_colour_settings_and_variables(
    mesh: Any, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], options: dict[str, Any], coloured: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with redirect_stderr(Terminal()) as terminal:
        ask(mesh({"connector": "modelmesh.console.v1", "config": options}))
    assert len(terminal.getvalue().splitlines()) == 3
    assert (ESCAPE in terminal.getvalue()) is coloured


def test_use_color_forces_colours_in_a_file(mesh: Any) -> None:
    with redirect_stderr(io.StringIO()) as stream:
        ask(mesh({"connector": "modelmesh.console.v1", "use_color": True}))
    assert ESCAPE in stream.getvalue()


def test_stream_prefix_and_timestamp_options(mesh: Any, capsys: pytest.CaptureFixture[str]) -> None:
    ask(mesh({"connector": "modelmesh.console.v1", "stream": "stdout", "prefix": "mesh>", "show_timestamp": False}))
    out, err = capsys.readouterr()
    assert err == ""
    assert [line.split()[:2] for line in out.splitlines()] == [
        ["mesh>", "model_deactivated"],
        ["mesh>", "model_rotated"],
        ["mesh>", "200"],
    ]
    ask(mesh({"connector": "modelmesh.console.v1", "prefix": "", "show_timestamp": False}))
    assert capsys.readouterr().err.startswith("model_deactivated model=")


def test_unknown_stream_is_an_error(mesh: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be 'stderr' or 'stdout'"):
        mesh({"connector": "modelmesh.console.v1", "stream": "printer"})


@pytest.mark.parametrize(
    "name", ["gpt\n[ModelMesh] 200 forged", "\x1b[31mred\x1b[0m", "a\r\x08b", "x\u2028y", "bidi\u202eevil", "\x9b2J"]
)
def test_untrusted_name_stays_on_one_line(mesh: Any, capsys: pytest.CaptureFixture[str], name: str) -> None:
    ask(mesh("modelmesh.console.v1", first=name, second=f"{name}2"))
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 3
    assert all(character.isprintable() or character == "\n" for character in err)


@given(text=st.text(max_size=60))
def test_any_text_is_one_printable_line(text: str) -> None:
    written: list[str] = []
    sink = ConsoleObservability({"use_color": False})
    sink._write = written.append  # type: ignore[method-assign]
    sink.emit(event(model=text, note=text))
    sink.log(entry(model_id=text, provider_id=text, error=text, request_payload=text))
    sink.trace(TraceEntry("error", NOW, text, text, {"n": text}, text))
    sink.flush({text: AggregateStats(requests_total=1, requests_success=1)})
    sink.close()
    assert len(written) == 4
    assert all(line.isprintable() for line in written)


def test_unicode_is_shown_unchanged(mesh: Any, capsys: pytest.CaptureFixture[str]) -> None:
    ask(mesh("modelmesh.console.v1", second="模型-größe-🚀"))
    assert "b/模型-größe-🚀" in capsys.readouterr().err


def test_other_encoding_shows_escapes(mesh: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(raw, encoding="ascii", errors="strict"))
    ask(mesh("modelmesh.console.v1", second="größe"))
    assert rb"b/gr\xf6\xdfe" in raw.getvalue()


def test_missing_console_is_ignored(mesh: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    client = mesh("modelmesh.console.v1")
    monkeypatch.setattr(sys, "stderr", None)
    ask(client)
    assert capsys.readouterr().out == ""
    assert not client.mesh._running.emitter.failures


def test_closed_console_fails_no_request(mesh: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    client = mesh("modelmesh.console.v1")
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    ask(client)
    assert client.mesh._running.emitter.failures == {"modelmesh.console.v1": 3}


@pytest.mark.parametrize(
    ("facts", "shown", "hidden"),
    [
        ({"api_key": "sk-test-1"}, "api_key=***REDACTED***", "sk-test-1"),
        ({"X-Api-Key": "sk-test-1"}, "X-Api-Key=***REDACTED***", "sk-test-1"),
        ({"password": "two words, test"}, "password=***REDACTED***", "two words"),
        ({"note": "Authorization: Bearer test-token-1"}, "Bearer ***REDACTED***", "test-token-1"),
        ({"note": {"deep": {"client_secret": "test-1"}}}, "'client_secret': '***REDACTED***'", "test-1"),
        ({"token": 5}, "token=5", "REDACTED"),
        ({"reason": "quota"}, "reason=quota", "REDACTED"),
    ],
)
def test_redaction_removes_secrets(facts: dict[str, Any], shown: str, hidden: str) -> None:
    lines = lines_of(lambda sink: (sink.emit(event(**facts)), sink.trace(TraceEntry("info", NOW, "router", "said", facts))))
    assert len(lines) == 2
    for line in lines:
        assert shown in line
        assert hidden not in line


def test_redaction_can_be_switched_off() -> None:
    [line] = lines_of(lambda sink: sink.emit(event(api_key="sk-test-1")), redact_secrets=False)
    assert "api_key=sk-test-1" in line


def test_min_severity_filters_traces() -> None:
    def send(sink: ConsoleObservability) -> None:
        for severity in ("debug", "info", "warning", "error", "critical"):
            sink.trace(TraceEntry(severity, NOW, "router", f"a {severity}"))

    assert [line.split()[2] for line in lines_of(send, min_severity="warning")] == ["warning", "error", "critical"]


def test_statistics_line() -> None:
    stats = AggregateStats(requests_total=4, requests_success=3, latency_avg=12.3, latency_p95=40.0)
    first, second = lines_of(lambda sink: sink.flush({"model:m": stats, "pool:p": AggregateStats()}))
    assert first == "[ModelMesh] stats model:m reqs=4 ok=75% latency_avg=12ms p95=40ms rotations=0"
    assert "ok=?" in second


def test_unknown_values_are_not_shown_as_zero() -> None:
    [line] = lines_of(lambda sink: sink.log(entry(tokens_in=3)))
    assert line.endswith(" 200 p/m 12ms tokens=3+?")
    [line] = lines_of(lambda sink: sink.log(entry(status_code=None, error="NoActiveModelError", model_id=None)))
    assert line.endswith(" failed pool pool 12ms NoActiveModelError")


@pytest.mark.parametrize(("level", "shown"), [("metadata", False), ("summary", True), ("full", True)])
def test_payloads_are_shown_by_level(mesh: Any, capsys: pytest.CaptureFixture[str], level: str, shown: bool) -> None:
    ask(mesh({"connector": "modelmesh.console.v1", "logging": {"level": level}}, text="first line\nsecond line"))
    err = capsys.readouterr().err
    assert ("'content': 'Hello'" in err) is shown
    assert ("second line" in err) is shown
    assert len(err.splitlines()) == 3

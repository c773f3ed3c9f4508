"""One coloured line for each event and request."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from modelmesh.contracts.observability import AggregateStats, RequestLogEntry, RoutingEvent, TraceEntry
from modelmesh_cdk import BaseObservability

RESET, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, GREY = (f"\x1b[{code}m" for code in (0, 31, 32, 33, 34, 35, 36, 90))
EVENT_COLOURS = {
    "model_activated": GREEN,
    "provider_recovered": GREEN,
    "model_deactivated": RED,
    "provider_deactivated": RED,
    "model_rotated": YELLOW,
    "provider_health_changed": YELLOW,
    "pool_membership_changed": CYAN,
    "discovery_models_updated": BLUE,
    "budget_alert": YELLOW,
    "budget_exceeded": RED,
}
SEVERITY_COLOURS = {"debug": GREY, "info": "", "warning": YELLOW, "error": RED, "critical": RED}


class ConsoleObservability(BaseObservability):
    """Writes to standard error, so that a program's own output stays clean.

    Options: ``use_color`` (or ``colorize``; by default when the stream is a terminal and ``NO_COLOR`` is not set),
    ``show_timestamp`` (true), ``prefix`` (``[ModelMesh]``), ``stream`` (``stderr`` or ``stdout``).
    """

    id: ClassVar[str] = "modelmesh.console.v1"

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        options = self.config.options
        self._stream_name = str(options.get("stream", "stderr"))
        self._prefix = str(options.get("prefix", "[ModelMesh]"))
        self._times = bool(options.get("show_timestamp", True))
        wanted = options.get("use_color", options.get("colorize"))
        self._coloured = self._may_colour() if wanted is None else bool(wanted)

    @property
    def _stream(self) -> Any:
        return sys.stdout if self._stream_name == "stdout" else sys.stderr  # looked up late: both may be replaced

    def _may_colour(self) -> bool:
        return "NO_COLOR" not in os.environ and bool(getattr(self._stream, "isatty", lambda: False)())

    def _paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{RESET}" if self._coloured and colour else text

    def _begin(self, timestamp: float) -> str:
        when = f" {datetime.fromtimestamp(timestamp, UTC).astimezone():%H:%M:%S}" if self._times else ""
        return self._paint(GREY, f"{self._prefix}{when}")

    def _format_event(self, event: RoutingEvent) -> str:
        facts = [("model", event.model_id), ("provider", event.provider_id), ("pool", event.pool_id), *event.metadata.items()]
        said = " ".join(f"{name}={_plain(value)}" for name, value in facts if value is not None)
        colour = EVENT_COLOURS.get(event.event_type, CYAN)
        return f"{self._begin(event.timestamp)} {self._paint(colour, event.event_type)} {said}"

    def _format_log(self, entry: RequestLogEntry) -> str:
        failed = entry.error is not None
        status = self._paint(RED if failed else GREEN, str(entry.status_code or entry.error))
        who = f"{entry.provider_id}/{entry.model_id}" if entry.model_id else f"pool {entry.pool_id}"
        tokens = "" if entry.tokens_in is None else f" tokens={entry.tokens_in}+{entry.tokens_out}"
        cost = "" if entry.cost is None else f" ${entry.cost:.6f}"
        tries = "" if len(entry.attempts) < 2 else f" attempts={len(entry.attempts)}"  # noqa: PLR2004 - one is no news
        error = f" {entry.error}" if failed else ""
        return f"{self._begin(entry.timestamp)} {status} {_plain(who)} {entry.latency_ms:.0f}ms{tokens}{cost}{tries}{error}"

    def _format_stats(self, scope: str, stats: AggregateStats) -> str:
        share = 100 * stats.requests_success / stats.requests_total if stats.requests_total else 0
        said = f"{scope} reqs={stats.requests_total} ok={share:.0f}% latency_avg={stats.latency_avg:.0f} p95={stats.latency_p95:.0f}"
        return f"{self._paint(GREY, self._prefix)} {self._paint(MAGENTA, 'stats')} {said} rotations={stats.rotation_events}"

    def _format_trace(self, entry: TraceEntry) -> str:
        severity = self._paint(SEVERITY_COLOURS.get(entry.severity, ""), entry.severity)
        error = f" {_plain(entry.error)}" if entry.error else ""
        return f"{self._begin(entry.timestamp)} {severity} {entry.component} {_plain(entry.message)}{error}"

    def _write(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


def _plain(value: object) -> str:
    """One line without control characters: a model name from outside must not draw on the terminal."""
    return "".join(mark if mark.isprintable() else repr(mark)[1:-1] for mark in str(value))

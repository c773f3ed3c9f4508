"""One coloured line for each event and request."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, TextIO

from modelmesh.contracts.observability import AggregateStats, RequestLogEntry, RoutingEvent, TraceEntry
from modelmesh.errors import ConfigurationError
from modelmesh_cdk import BaseObservability
from modelmesh_observability_console.plain import pair, plain

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

    Options: ``use_color`` (or ``colorize``; by default when the stream is a terminal, ``NO_COLOR`` is empty or not set
    and ``TERM`` is not ``dumb``), ``show_timestamp`` (true; local time), ``prefix`` (``[ModelMesh]``), ``stream``
    (``stderr`` or ``stdout``).

    Source: https://no-color.org (read 2026-11-21) for ``NO_COLOR``.
    """

    id: ClassVar[str] = "modelmesh.console.v1"
    options: ClassVar[Collection[str]] = ("stream", "prefix", "show_timestamp", "use_color", "colorize")

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        options = self.config.options
        self._stream_name = str(options.get("stream", "stderr"))
        if self._stream_name not in ("stderr", "stdout"):
            message = f"observability: 'stream' of {self.id} must be 'stderr' or 'stdout', not {self._stream_name!r}"
            raise ConfigurationError(message, where="observability.stream")
        self._prefix = str(options.get("prefix", "[ModelMesh]"))
        self._times = bool(options.get("show_timestamp", True))
        wanted = options.get("use_color", options.get("colorize"))
        self._wanted = None if wanted is None else bool(wanted)

    @property
    def _stream(self) -> TextIO | None:
        # Looked up for each line, as both may be replaced; None where a program has no console.
        return sys.stdout if self._stream_name == "stdout" else sys.stderr

    @property
    def _coloured(self) -> bool:
        if self._wanted is not None:
            return self._wanted
        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            return False
        return bool(getattr(self._stream, "isatty", lambda: False)())

    def _paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{RESET}" if colour and self._coloured else text

    def _begin(self, timestamp: float) -> str:
        when = f"{datetime.fromtimestamp(timestamp, UTC).astimezone():%H:%M:%S}" if self._times else ""
        begin = " ".join(part for part in (self._prefix, when) if part)
        return f"{self._paint(GREY, begin)} " if begin else ""

    def _format_event(self, event: RoutingEvent) -> str:
        facts = [("model", event.model_id), ("provider", event.provider_id), ("pool", event.pool_id), *event.metadata.items()]
        said = " ".join(pair(name, value, blank=self.config.redact) for name, value in facts if value is not None)
        colour = EVENT_COLOURS.get(event.event_type, CYAN)
        return f"{self._begin(event.timestamp)}{self._paint(colour, plain(event.event_type))} {said}"

    def _format_log(self, entry: RequestLogEntry) -> str:
        failed = entry.error is not None
        status = "failed" if entry.status_code is None else str(entry.status_code)
        who = f"pool {entry.pool_id}" if entry.model_id is None else f"{entry.provider_id}/{entry.model_id}"
        said = [self._paint(RED if failed else GREEN, status), plain(who), f"{entry.latency_ms:.0f}ms"]
        if entry.tokens_in is not None or entry.tokens_out is not None:
            said.append(f"tokens={_known(entry.tokens_in)}+{_known(entry.tokens_out)}")
        if entry.cost is not None:
            said.append(f"${entry.cost:.6f}")
        if len(entry.attempts) > 1:
            said.append(f"attempts={len(entry.attempts)}")
        if failed:
            said.append(plain(entry.error))
        for name in ("request_payload", "response_payload"):
            payload = getattr(entry, name)
            if payload is not None:
                said.append(pair(name.removesuffix("_payload"), payload, blank=False))
        return self._begin(entry.timestamp) + " ".join(said)

    def _format_stats(self, scope: str, stats: AggregateStats) -> str:
        share = f"{100 * stats.requests_success / stats.requests_total:.0f}%" if stats.requests_total else "?"
        said = (
            f"{plain(scope)} reqs={stats.requests_total} ok={share} latency_avg={stats.latency_avg:.0f}ms "
            f"p95={stats.latency_p95:.0f}ms rotations={stats.rotation_events}"
        )
        cost = "" if stats.cost_total is None else f" cost=${stats.cost_total:.6f}"
        return f"{self._paint(GREY, self._prefix)} {self._paint(MAGENTA, 'stats')} {said}{cost}"

    def _format_trace(self, entry: TraceEntry) -> str:
        severity = self._paint(SEVERITY_COLOURS.get(entry.severity, ""), plain(entry.severity))
        error = f" {plain(entry.error)}" if entry.error else ""
        facts = "".join(f" {pair(name, value, blank=self.config.redact)}" for name, value in entry.metadata.items())
        return f"{self._begin(entry.timestamp)}{severity} {plain(entry.component)} {plain(entry.message)}{facts}{error}"

    def _write(self, line: str) -> None:
        stream = self._stream
        if stream is None:
            return
        try:
            print(line, file=stream, flush=True)
        except UnicodeEncodeError:  # a terminal that is not UTF-8 still shows the rest of the line
            encoding = stream.encoding or "ascii"
            print(line.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)


def _known(tokens: int | None) -> str:
    return "?" if tokens is None else str(tokens)

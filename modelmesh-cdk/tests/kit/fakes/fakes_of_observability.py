"""Faulty sinks, each with one fault, and the standard test that detects it."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from modelmesh_cdk import BackgroundObservability
from modelmesh_cdk.testing import ObservabilityConformance


class Honest(BackgroundObservability):
    id = "acme.honest.v1"

    def _write(self, line: str) -> None:
        sys.stdout.write(line.encode("utf-8", "backslashreplace").decode() + "\n")


class KnowsItsEvents(Honest):
    def emit(self, event):
        {"an_event_of_tomorrow": 1 / (event.event_type != "an_event_of_tomorrow")}
        super().emit(event)


class PricesEverything(Honest):
    def log(self, entry):
        round(entry.cost, 6)
        super().log(entry)


class KnowsThreeSeverities(Honest):
    def trace(self, entry):
        ("info", "warning", "error").index(entry.severity)
        super().trace(entry)


class SumsCosts(Honest):
    def flush(self, stats):
        sum(values.cost_total for values in stats.values())
        super().flush(stats)


class WantsJson(Honest):
    def emit(self, event):
        json.dumps(dict(event.metadata))
        super().emit(event)


class TakesWhatItReads(Honest):
    def emit(self, event):
        event.metadata.pop("reason", None)
        super().emit(event)


class WritesSecrets(Honest):
    def __init__(self, config=None):
        super().__init__({**(config or {}), "redact": False})


class KeepsOneLine(Honest):
    def trace(self, entry):
        self.line = entry.message
        time.sleep(0.0005)
        self._write(self.line)


class WritesInTheCall(Honest):
    def trace(self, entry):
        self._write(self._format_trace(entry))


class PrintsInTheCall(Honest):
    def trace(self, entry):
        sys.stdout.write(f"{entry.message}\n")


class LosesItsQueue(Honest):
    def close(self) -> None:
        self.writer._items.clear()
        super().close()


class ClosesOnce(Honest):
    closed = False

    def close(self) -> None:
        super().close()
        if self.closed:
            message = "closed already"
            raise RuntimeError(message)
        self.closed = True


class ShowsWhatItHeard(Honest):
    heard: Any = None

    def emit(self, event):
        self.heard = self.heard or event

    def __repr__(self) -> str:
        return f"ShowsWhatItHeard({self.heard})"


class HearsNoRequests(Honest):
    def log(self, entry):
        pass

    def emit(self, event):
        pass

    def trace(self, entry):
        pass

    def flush(self, stats):
        pass


class HasNoVersion(Honest):
    id = "acme.honest"


class HasAnotherId(Honest):
    id = "acme.another.v1"


class ImportsAPrivateName(Honest):
    __module__ = "imports_a_private_name"


FAKES: list[tuple[type, str]] = [
    (KnowsItsEvents, "test_event_accepts_every_type"),
    (PricesEverything, "test_request_record_accepts_every_outcome"),
    (KnowsThreeSeverities, "test_trace_accepts_every_severity"),
    (SumsCosts, "test_statistics_accept_unknown_cost"),
    (WantsJson, "test_metadata_of_any_type_does_not_raise"),
    (TakesWhatItReads, "test_record_is_not_changed"),
    (WritesSecrets, "test_redact_removes_secrets"),
    (KeepsOneLine, "test_records_of_threads_are_not_mixed"),
    (WritesInTheCall, "test_call_does_not_wait_for_output"),
    (PrintsInTheCall, "test_call_does_not_wait_for_output"),
    (LosesItsQueue, "test_call_does_not_wait_for_output"),
    (ClosesOnce, "test_close_may_be_repeated"),
    (ShowsWhatItHeard, "test_repr_shows_no_secret"),
    (HearsNoRequests, "test_request_of_mesh_is_recorded"),
    (HasNoVersion, "test_id_follows_the_grammar"),
    (HasAnotherId, "test_id_equals_entry_point_name"),
    (ImportsAPrivateName, "test_package_imports_only_public_names"),
]
KIT = ObservabilityConformance


class TestHonest(ObservabilityConformance):
    sink_class = Honest


for fake, _ in FAKES:
    name = f"Test{fake.__name__}"
    globals()[name] = type(name, (KIT,), {"sink_class": fake, "__module__": __name__})

"""Sinks that are each wrong in one way, and the standard test that finds it."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from modelmesh_cdk import BaseObservability
from modelmesh_cdk.testing import ObservabilityConformance


class Honest(BaseObservability):
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


class ClosesOnce(Honest):
    closed = False

    def close(self) -> None:
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


FAKES: list[tuple[type, str]] = [
    (KnowsItsEvents, "test_every_event_is_taken"),
    (PricesEverything, "test_every_request_is_taken"),
    (KnowsThreeSeverities, "test_every_step_is_taken"),
    (SumsCosts, "test_counters_are_taken"),
    (WantsJson, "test_odd_values_do_not_raise"),
    (TakesWhatItReads, "test_what_it_is_told_is_not_changed"),
    (WritesSecrets, "test_what_looks_like_a_secret_is_blanked"),
    (KeepsOneLine, "test_many_threads_may_tell"),
    (ClosesOnce, "test_closing_twice_is_harmless"),
    (ShowsWhatItHeard, "test_repr_shows_no_secret"),
    (HearsNoRequests, "test_mesh_is_heard"),
    (HasNoVersion, "test_id_is_an_id"),
    (HasAnotherId, "test_id_agrees_with_the_entry_point"),
]
KIT = ObservabilityConformance


class TestHonest(ObservabilityConformance):
    sink_class = Honest


for fake, _ in FAKES:
    name = f"Test{fake.__name__}"
    globals()[name] = type(name, (KIT,), {"sink_class": fake, "__module__": __name__})

"""Discovery connectors that are each wrong in one way, and the standard test that finds it."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from attrs import evolve

from modelmesh_cdk import BaseDiscovery
from modelmesh_cdk.testing import DiscoveryConformance


class Honest(BaseDiscovery):
    id = "acme.honest.v1"


class CannotProbe(Honest):
    probe: Any = None

    def __getattribute__(self, name: str) -> Any:
        if name == "probe":
            raise AttributeError(name)
        return super().__getattribute__(name)


class GivesLists(Honest):
    def sync(self, providers=None):
        result = super().sync(providers)
        return evolve(result, new_models=list(result.new_models))


class ForgetsTheProvider(Honest):
    def sync(self, providers=None):
        result = super().sync(providers)
        return evolve(result, new_models=tuple(one.partition("/")[2] for one in result.new_models))


class NamesTwice(Honest):
    def sync(self, providers=None):
        result = super().sync(providers)
        return evolve(result, new_models=result.new_models * 2)


class ListsAsTheVendorDoes(Honest):
    def sync(self, providers=None):
        result = super().sync(providers)
        return evolve(result, new_models=tuple(reversed(result.new_models)))


class RemembersNothing(Honest):
    def sync(self, providers=None):
        self._known.clear()
        return super().sync(providers)


class HidesWhoIsDown(Honest):
    def _discover_provider_models(self, provider_id):
        try:
            return super()._discover_provider_models(provider_id)
        except Exception:
            return []


class TakesSilenceForAnEmptyList(Honest):
    def sync(self, providers=None):
        result = super().sync(providers)
        gone = [f"{name}/{one}" for name, known in self._known.items() if result.errors for one in known]
        return evolve(result, deprecated_models=tuple(gone))


class RaisesForStrangers(Honest):
    def sync(self, providers=None):
        return super().sync([self.providers[name] and name for name in providers or self.providers])


class LosesTheTime(Honest):
    def probe(self, provider_id):
        return evolve(super().probe(provider_id), latency_ms=None)


class TimesWhoIsDown(Honest):
    def probe(self, provider_id):
        result = super().probe(provider_id)
        return result if result.success else evolve(result, latency_ms=0.0)


class FailsWithoutAWord(Honest):
    def probe(self, provider_id):
        return evolve(super().probe(provider_id), error=None)


class ProbesKnownOnesOnly(Honest):
    def probe(self, provider_id):
        if provider_id not in self.providers:
            raise KeyError(provider_id)
        return super().probe(provider_id)


class KeepsTheNameOnItself(Honest):
    def probe(self, provider_id):
        self.name = provider_id
        time.sleep(0.0005)
        return super().probe(self.name)


class ProbesToReport(Honest):
    def get_health_report(self, provider_id=None):
        for name in [provider_id] if provider_id else self.providers:
            self.probe(name)
        return super().get_health_report(provider_id)


class ShowsKeys(Honest):
    def __repr__(self) -> str:
        keys = [provider.config.api_key.reveal() for provider in self.providers.values()]
        return f"ShowsKeys({keys})"


class SharesItsMemory(Honest):
    everything: ClassVar[dict[str, Any]] = {}

    def attach(self, providers):
        super().attach(providers)
        self._known = self.everything


class ClosesOnce(Honest):
    closed = 0

    def close(self):
        self.closed += 1
        if self.closed == 2:  # the third time is that of the fixture
            message = "closed already"
            raise RuntimeError(message)


class HasNoVersion(Honest):
    id = "acme.honest"


class HasAnotherId(Honest):
    id = "acme.another.v1"


FAKES: list[tuple[type, str]] = [
    (CannotProbe, "test_contract"),
    (GivesLists, "test_sync_gives_a_result"),
    (ForgetsTheProvider, "test_models_go_by_their_provider"),
    (NamesTwice, "test_names_are_sorted_and_unique"),
    (ListsAsTheVendorDoes, "test_names_are_sorted_and_unique"),
    (RemembersNothing, "test_nothing_is_new_twice"),
    (HidesWhoIsDown, "test_who_is_down_is_an_error_among_the_others"),
    (TakesSilenceForAnEmptyList, "test_who_is_down_loses_no_model"),
    (RaisesForStrangers, "test_sync_of_a_stranger_is_an_error_among_the_others"),
    (LosesTheTime, "test_probe_of_who_is_up"),
    (TimesWhoIsDown, "test_probe_of_who_is_down"),
    (FailsWithoutAWord, "test_probe_of_who_is_down"),
    (ProbesKnownOnesOnly, "test_probe_of_a_stranger"),
    (KeepsTheNameOnItself, "test_many_threads_may_probe"),
    (ProbesToReport, "test_reports_ask_nobody"),
    (ShowsKeys, "test_key_is_in_nothing_shown"),
    (SharesItsMemory, "test_instances_share_nothing"),
    (ClosesOnce, "test_close_may_come_twice"),
    (HasNoVersion, "test_id_is_an_id"),
    (HasAnotherId, "test_id_agrees_with_the_entry_point"),
]
KIT = DiscoveryConformance


class TestHonest(DiscoveryConformance):
    discovery_class = Honest


for fake, _ in FAKES:
    name = f"Test{fake.__name__}"
    globals()[name] = type(name, (DiscoveryConformance,), {"discovery_class": fake, "__module__": __name__})

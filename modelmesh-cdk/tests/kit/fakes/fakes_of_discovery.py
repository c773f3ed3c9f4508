"""Faulty discovery connectors, each with one fault, and the standard test that detects it."""

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


class ImportsAPrivateName(Honest):
    __module__ = "imports_a_private_name"


FAKES: list[tuple[type, str]] = [
    (CannotProbe, "test_connector_has_contract_methods"),
    (GivesLists, "test_sync_returns_a_result"),
    (ForgetsTheProvider, "test_sync_names_models_by_provider"),
    (NamesTwice, "test_sync_names_are_sorted_and_unique"),
    (ListsAsTheVendorDoes, "test_sync_names_are_sorted_and_unique"),
    (RemembersNothing, "test_sync_repeated_finds_nothing_new"),
    (HidesWhoIsDown, "test_sync_of_failing_provider_reports_error"),
    (TakesSilenceForAnEmptyList, "test_sync_of_failing_provider_keeps_models"),
    (RaisesForStrangers, "test_sync_of_unknown_provider_reports_error"),
    (LosesTheTime, "test_probe_of_working_provider_succeeds"),
    (TimesWhoIsDown, "test_probe_of_failing_provider_fails"),
    (FailsWithoutAWord, "test_probe_of_failing_provider_fails"),
    (ProbesKnownOnesOnly, "test_probe_of_unknown_provider_fails"),
    (KeepsTheNameOnItself, "test_probe_in_threads_returns_own_result"),
    (ProbesToReport, "test_report_sends_no_request"),
    (ShowsKeys, "test_key_is_in_no_result"),
    (SharesItsMemory, "test_instances_share_no_state"),
    (ClosesOnce, "test_close_may_be_repeated"),
    (HasNoVersion, "test_id_follows_the_grammar"),
    (HasAnotherId, "test_id_equals_entry_point_name"),
    (ImportsAPrivateName, "test_package_imports_only_public_names"),
]
KIT = DiscoveryConformance


class TestHonest(DiscoveryConformance):
    discovery_class = Honest


for fake, _ in FAKES:
    name = f"Test{fake.__name__}"
    globals()[name] = type(name, (DiscoveryConformance,), {"discovery_class": fake, "__module__": __name__})

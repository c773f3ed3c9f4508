"""Base class of discovery connectors with simulated clocks, and HTTP probes against a real server."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh.contracts import (
    DiscoveredModels,
    Discovery,
    DiscoveryReports,
    FailureClass,
    HealthReport,
    Limits,
    ModelInfo,
    SyncResult,
    SyncStatus,
)
from modelmesh.errors import ConfigurationError, ProviderConnectionError, ProviderError
from modelmesh_cdk import BaseDiscovery, BaseDiscoveryConfig, HttpHealthDiscovery, OpenAICompatibleProvider
from modelmesh_cdk.testing import Script, Upstream


class Vendor:
    """Provider with a configurable model list."""

    def __init__(self, *models: str) -> None:
        self.list: Any = [ModelInfo(one) for one in models]

    def models(self) -> Any:
        if isinstance(self.list, Exception):
            raise self.list
        return self.list


class Ticking:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        self.now += 0.25
        return self.now


def made(config: Any = None, **vendors: Vendor) -> BaseDiscovery:
    discovery = BaseDiscovery(config, wall=lambda: 5000.0, clock=Ticking())
    discovery.attach(vendors)
    return discovery


def test_base_discovery_implements_contract() -> None:
    assert isinstance(BaseDiscovery(), Discovery)
    assert isinstance(BaseDiscovery(), DiscoveryReports)
    assert isinstance(BaseDiscovery(), DiscoveredModels)


def test_config_accepts_sections_and_flat_keys() -> None:
    nested = {"sync": {"interval": "2h", "on_new_model": "notify"}, "health": {"timeout": "3s", "failure_threshold": 2, "odd": 1}}
    flat = {
        "sync_interval_seconds": 7200,
        "on_new_model": "notify",
        "health_timeout_seconds": 3,
        "failure_threshold": 2,
        "odd": 1,
    }
    assert BaseDiscoveryConfig.of(nested) == BaseDiscoveryConfig.of(flat)
    assert BaseDiscoveryConfig.of(nested).options == {"odd": 1}
    assert BaseDiscoveryConfig.of({"providers": ["a"]}).health_providers == ("a",)
    with pytest.raises(ValueError, match="on_new_model"):
        BaseDiscoveryConfig.of({"sync": {"on_new_model": "shout"}})


def test_sync_finds_new_and_deprecated_models() -> None:
    a, b = Vendor("one", "two"), Vendor("three")
    discovery = made(a=a, b=b)
    discovery.set_known_models("a", [ModelInfo("one"), ModelInfo("gone"), ModelInfo("two", context_window=10)])
    assert discovery.get_sync_status() == SyncStatus()
    assert discovery.sync() == SyncResult(("b/three",), ("a/gone",), ("a/two",))
    assert discovery.sync() == SyncResult()
    assert discovery.get_sync_status() == SyncStatus(5000.0, 5000.0 + 3600, 3, "idle")


def test_sync_ignores_date_of_rows() -> None:
    a = Vendor()
    a.list = [ModelInfo("one", extra={"as_of": "2026-11-22"})]
    discovery = made(a=a)
    discovery.set_known_models("a", [ModelInfo("one", extra={"as_of": "2026-11-21"})])
    assert discovery.sync() == SyncResult()


def test_sync_of_failing_provider_affects_no_other() -> None:
    a, b, c = Vendor("one"), Vendor("two"), Vendor("three")
    discovery = made(a=a, b=b, c=c)
    discovery.sync()
    a.list, b.list, c.list = ProviderConnectionError("refused; api_key='test-key-1234'"), RuntimeError("test-key-1234"), []
    found = discovery.sync()
    assert (found.new_models, found.deprecated_models) == ((), ())
    assert found.errors[1:] == ("b: RuntimeError", "c: its list of models is empty; the known ones stay")
    assert found.errors[0].startswith("a: refused")
    assert "test-key-1234" not in str(found)
    assert discovery.get_sync_status().status == "failed"
    assert discovery.sync(["nobody"]).errors == ("nobody: KeyError",)


def test_after_fork_does_not_wait_for_parent_sync() -> None:
    one = made(a=Vendor("a-1"))
    with one._syncing, one._lock:  # as a thread that the child does not have
        one.after_fork()
        assert one.sync().new_models == ("a/a-1",)
        assert one.probe("a").success


def test_sync_of_named_providers_contacts_only_them() -> None:
    discovery = made({"sync": {"providers": ["a"]}}, a=Vendor("one"), b=Vendor("two"))
    assert discovery.sync().new_models == ("a/one",)
    assert discovery.sync(["b"]).new_models == ("b/two",)


@given(before=st.sets(st.sampled_from("abcdef")), after=st.sets(st.sampled_from("abcdef"), min_size=1))
def test_sync_results_add_up(before: set[str], after: set[str]) -> None:
    discovery = made(v=Vendor(*after))
    discovery.set_known_models("v", [ModelInfo(one) for one in before])
    found = discovery.sync()
    new, gone = ({one.removeprefix("v/") for one in some} for some in (found.new_models, found.deprecated_models))
    assert (before | new) - gone == after
    assert not new & before
    assert not found.updated_models


def test_probe_counts_consecutive_failures() -> None:
    a = Vendor("one")
    discovery = made({"failure_threshold": 2}, a=a, quiet=Vendor())
    up = discovery.probe("a")
    assert (up.success, up.latency_ms, up.error) == (True, 250.0, None)
    a.list = RuntimeError("down")
    assert discovery.probe("a").error == "RuntimeError"
    assert not discovery.is_provider_degraded("a")
    discovery.probe("a")
    assert discovery.is_provider_degraded("a")
    report, unknown = discovery.get_health_report()
    assert (report.available, report.latency_ms, report.availability_score, report.timestamp) == (False, 250.0, 1 / 3, 5000.0)
    assert unknown == HealthReport("quiet")
    a.list = []
    discovery.probe("a")
    assert not discovery.is_provider_degraded("a")
    assert discovery.get_health_report("a")[0].available is True


def test_probe_in_threads_returns_own_result() -> None:
    discovery = made(a=Vendor("one"))
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(discovery.probe, ["a"] * 80))
    assert len(discovery._probed["a"].outcomes) == 80


# -- over HTTP


@pytest.fixture
def health(upstream: Upstream) -> Iterator[HttpHealthDiscovery]:
    discovery = HttpHealthDiscovery({"urls": {"vendor": upstream.url}, "health": {"timeout": "5s"}})
    yield discovery
    discovery.close()
    discovery.close()


def test_http_health_expected_status_is_up(upstream: Upstream, health: HttpHealthDiscovery) -> None:
    upstream.then(Script(body=b"ok"))
    found = health.probe("vendor")
    assert (found.success, found.status_code, found.error) == (True, 200, None)
    assert (upstream.last.method, upstream.last.path) == ("GET", "/health")
    assert "authorization" not in upstream.last.headers


def test_http_health_unexpected_status_is_down(upstream: Upstream, health: HttpHealthDiscovery) -> None:
    upstream.then(Script(status=503, body=b""))
    found = health.probe("vendor")
    assert (found.success, found.status_code, found.error) == (False, 503, "its health page answered 503, not 200")


def test_after_fork_uses_new_connections(upstream: Upstream, health: HttpHealthDiscovery) -> None:
    upstream.then(Script(body=b"ok")).then(Script(body=b"ok"))
    health.probe("vendor")
    (before,) = health._transports.values()
    health.after_fork()
    assert health.probe("vendor").success
    assert [one is before for one in health._transports.values()] == [False]
    before.close()


def test_http_health_uses_base_url_without_version(upstream: Upstream) -> None:
    class Acme(OpenAICompatibleProvider):
        id = "acme.llm.v1"

    health = HttpHealthDiscovery({"health_path": "up", "expected_status": 204})
    health.attach({"acme": Acme(base_url=f"{upstream.url}/v1", api_key="test")})
    upstream.then(Script(status=204, body=b""))
    assert health.probe("acme").success
    assert upstream.last.path == "/up"
    health.close()


def test_http_health_unreachable_or_unknown_provider_fails() -> None:
    with Upstream() as gone:
        address = gone.url
    health = HttpHealthDiscovery({"urls": {"vendor": address}})
    assert (health.probe("vendor").success, health.probe("vendor").status_code) == (False, None)
    assert "No URL registered for provider: nobody" in (health.probe("nobody").error or "")
    with pytest.raises(ConfigurationError, match="cannot probe 'x'"):
        health.register_provider_url("x", "not a url")
    health.close()


class Acme:
    """Provider that records its calls."""

    probe_path, list_path = "/models", "/models"

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)
        self.asked: list[tuple[str, Any]] = []

    def models(self) -> list[ModelInfo]:
        self.asked.append(("models", None))
        return [ModelInfo("shipped")]

    def discover_models(self, limits: Limits | None = None) -> list[ModelInfo]:
        self.asked.append(("discover_models", limits and limits.total))
        return [ModelInfo("listed")]

    def probe(self, limits: Limits) -> None:
        self.asked.append(("probe", limits.total))
        if self.failure:
            raise ProviderError("no", failure=self.failure, status=429)

    failure: FailureClass | None = None


@pytest.mark.parametrize(
    ("vendor", "asked"),
    [
        (Acme(), ("probe", 7.0)),
        (Acme(probe_path=""), ("discover_models", 7.0)),
        (Acme(probe_path="", list_path=""), ("models", None)),
    ],
)
def test_probe_uses_available_method_within_timeout(vendor: Acme, asked: Any) -> None:
    watch = BaseDiscovery({"health": {"timeout": "7s"}})
    watch.attach({"acme": vendor})
    assert watch.probe("acme").success
    assert vendor.asked == [asked]


@pytest.mark.parametrize(("failure", "up"), [(FailureClass.THROTTLE, True), (FailureClass.CREDENTIAL, False)])
def test_probe_of_rate_limited_provider_succeeds(failure: FailureClass, *, up: bool) -> None:
    watch = BaseDiscovery()
    watch.attach({"acme": Acme(failure=failure)})
    result = watch.probe("acme")
    assert (result.success, result.status_code) == (up, 429)


@pytest.mark.parametrize(("list_path", "found"), [("/models", "listed"), ("", "shipped")])
def test_discovery_prefers_vendor_list_to_catalogue(list_path: str, found: str) -> None:
    watch = BaseDiscovery()
    watch.attach({"acme": Acme(list_path=list_path)})
    assert watch.get_model_info("acme", found) is None
    assert watch.sync().new_models == (f"acme/{found}",)
    assert watch.get_model_info("acme", found) == ModelInfo(found)
    assert watch.get_model_info("nobody", found) is None

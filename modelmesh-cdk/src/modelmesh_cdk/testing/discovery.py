"""Conformance tests of discovery connectors."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest

from modelmesh._engine.plugins.resolver import build
from modelmesh.contracts import Kind
from modelmesh.contracts.discovery import Discovery, DiscoveryReports, HealthReport, ProbeResult, SyncResult, SyncStatus
from modelmesh.contracts.models import ModelInfo
from modelmesh_cdk.provider.quick import QuickProvider
from modelmesh_cdk.testing.naming import NamedConnector
from modelmesh_cdk.testing.upstream import Upstream

UP, DOWN, NOBODY = "kit-up", "kit-down", "kit-nobody"
KEY = "sk-test-of-the-kit"


class DiscoveryConformance(NamedConnector):
    """Derive a test class and set ``discovery_class``.

    The connector gets two providers: one that answers on the loopback interface, and one whose address refuses connections. A
    third name is unknown. A connector with another source than its providers overrides the fixture ``discovery``.

    The class has more than 20 public methods because each of them is one test of the contract, and the author of a connector
    derives one class only.

    Example:
        ::

            class TestRegistry(DiscoveryConformance):
                discovery_class = Registry
    """

    kind = Kind.DISCOVERY

    discovery_class: ClassVar[Any]
    """Class of the entry point."""

    settings: ClassVar[Mapping[str, Any]] = {}
    """Settings of the connector."""

    @property
    def connector(self) -> Any:
        """The class under test."""
        return self.discovery_class

    # -- what the author may replace ----------------------------------------------------------------------------------

    @pytest.fixture
    def vendor(self) -> Iterator[Upstream]:
        """The server of the working provider."""
        with Upstream() as vendor:
            yield vendor

    @pytest.fixture
    def providers(self, vendor: Upstream) -> dict[str, Any]:
        """The live providers by key."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}"
        return {UP: QuickProvider(base_url=vendor.url, api_key=KEY), DOWN: QuickProvider(base_url=nowhere, api_key=KEY)}

    @pytest.fixture
    def make(self, providers: Mapping[str, Any]) -> Iterator[Callable[[], Any]]:
        """Factory of connectors with attached providers. The connectors are closed after the test."""
        made = []

        def make() -> Any:
            discovery = build(self.discovery_class, dict(self.settings), self.discovery_class.id)
            made.append(discovery)
            if hasattr(discovery, "attach"):
                discovery.attach(providers)
            return discovery

        yield make
        for discovery in made:
            _close(discovery)

    @pytest.fixture
    def discovery(self, make: Callable[[], Any]) -> Any:
        """The connector under test."""
        return make()

    # -- catalogues ---------------------------------------------------------------------------------------------------

    def test_connector_has_contract_methods(self, discovery: Any) -> None:
        """The connector has an ID, ``sync`` and ``probe``."""
        assert isinstance(discovery, Discovery)

    def test_sync_returns_a_result(self, discovery: Any) -> None:
        """``sync`` returns a ``SyncResult`` of tuples of text, even if a provider is down."""
        result = discovery.sync()
        assert type(result) is SyncResult
        assert {type(part) for part in _parts(result)} == {tuple}
        assert {type(one) for part in _parts(result) for one in part} <= {str}

    def test_sync_names_models_by_provider(self, discovery: Any) -> None:
        """Changes are named ``provider/model`` with the provider's key in the configuration."""
        named = [one for part in _parts(discovery.sync())[:3] for one in part]
        assert [one for one in named if not one.startswith((f"{UP}/", f"{DOWN}/"))] == []

    def test_sync_names_are_sorted_and_unique(self, discovery: Any, vendor: Upstream) -> None:
        """Each name occurs once in sorted order, whatever the order of the vendor."""
        listed = {"object": "list", "data": [{"id": name, "object": "model"} for name in ("m-3", "m-1", "m-3", "m-2")]}
        vendor.reply(listed)
        for part in _parts(discovery.sync([UP]))[:3]:
            assert list(part) == sorted(set(part))

    def test_sync_repeated_finds_nothing_new(self, discovery: Any) -> None:
        """A second ``sync`` finds nothing new if nothing changed."""
        discovery.sync([UP])
        assert _parts(discovery.sync([UP]))[:3] == ((), (), ())

    def test_sync_of_failing_provider_reports_error(self, discovery: Any) -> None:
        """A failing provider gives a line ``provider: message`` in the errors and raises nothing."""
        errors = discovery.sync().errors
        assert [one for one in errors if one.startswith(f"{DOWN}: ")], f"errors are {errors}"
        assert not [one for one in errors if one.startswith(f"{UP}: ")], f"errors are {errors}"

    def test_sync_of_failing_provider_keeps_models(self, discovery: Any) -> None:
        """The models of a failing provider are not deprecated."""
        if hasattr(discovery, "set_known_models"):
            discovery.set_known_models(DOWN, [ModelInfo("m-known")])
        assert discovery.sync([DOWN]).deprecated_models == ()

    def test_sync_of_unknown_provider_reports_error(self, discovery: Any) -> None:
        """An unknown provider gives a line in the errors and raises nothing."""
        errors = discovery.sync([NOBODY]).errors
        assert len(errors) == 1
        assert errors[0].startswith(f"{NOBODY}: ")

    # -- probes -------------------------------------------------------------------------------------------------------

    def test_probe_of_working_provider_succeeds(self, discovery: Any) -> None:
        """A probe of a working provider succeeds, with a latency and without an error."""
        result = discovery.probe(UP)
        assert type(result) is ProbeResult
        assert (result.provider_id, result.success, result.error) == (UP, True, None)
        assert isinstance(result.latency_ms, float)
        assert result.latency_ms >= 0

    def test_probe_of_failing_provider_fails(self, discovery: Any) -> None:
        """A probe of a failing provider fails, with an error and without a latency."""
        _failed(discovery.probe(DOWN), DOWN)

    def test_probe_of_unknown_provider_fails(self, discovery: Any) -> None:
        """A probe of an unknown provider fails and raises nothing."""
        _failed(discovery.probe(NOBODY), NOBODY)

    def test_probe_in_threads_returns_own_result(self, discovery: Any) -> None:
        """Threads that probe at the same time each get the result of their provider."""
        names = [UP, DOWN, NOBODY] * 10
        with ThreadPoolExecutor(6) as threads:
            results = list(threads.map(discovery.probe, names))
        assert [(result.provider_id, result.success) for result in results] == [(name, name == UP) for name in names]

    def test_report_sends_no_request(self, discovery: Any, vendor: Upstream) -> None:
        """A report uses stored results only. A provider without a probe is unknown."""
        probe = discovery.probe
        if not isinstance(discovery, DiscoveryReports):
            pytest.skip("the connector offers no get_sync_status and get_health_report")
        status, before = discovery.get_sync_status(), discovery.get_health_report(UP)
        assert (type(status), status.last_sync) == (SyncStatus, None)
        assert [(type(one), one.provider_id, one.available) for one in before] == [(HealthReport, UP, None)]
        assert vendor.received == []
        probe(UP)
        count = len(vendor.received)
        assert [one.available for one in discovery.get_health_report(UP)] == [True]
        assert len(vendor.received) == count

    # -- secrecy and life ---------------------------------------------------------------------------------------------

    def test_key_is_in_no_result(self, discovery: Any) -> None:
        """No key of a provider is in a result, an error or the representation of the connector."""
        results: list[Any] = [discovery.sync(), *map(discovery.probe, (UP, DOWN, NOBODY))]
        shown = f"{results!r} {discovery!r} {discovery} {getattr(discovery, 'config', '')!r}"
        assert KEY not in shown

    def test_instances_share_no_state(self, make: Callable[[], Any]) -> None:
        """The findings of one instance are new to another."""
        first = make().sync([UP])
        assert make().sync([UP]) == first

    def test_close_may_be_repeated(self, discovery: Any) -> None:
        """A second close has no effect, whether or not the connector was used."""
        discovery.probe(UP)
        _close(discovery)
        _close(discovery)


def _parts(result: Any) -> tuple[tuple[str, ...], ...]:
    return result.new_models, result.deprecated_models, result.updated_models, result.errors


def _failed(result: Any, name: str) -> None:
    assert type(result) is ProbeResult
    assert (result.provider_id, result.success, result.latency_ms) == (name, False, None)
    assert isinstance(result.error, str)
    assert result.error


def _close(discovery: Any) -> None:
    close = getattr(discovery, "close", None)
    if close is not None:
        close()

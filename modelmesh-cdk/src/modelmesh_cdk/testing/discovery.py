"""What every discovery connector keeps."""

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
from modelmesh_cdk.testing.naming import Named
from modelmesh_cdk.testing.upstream import Upstream

UP, DOWN, NOBODY = "kit-up", "kit-down", "kit-nobody"
KEY = "sk-test-of-the-kit"


class DiscoveryConformance(Named):
    """Derive a test class and set ``discovery_class``.

    The connector is given two providers: one that answers on loopback, and one whose address nobody listens at. A third
    name is nobody's. A connector that asks elsewhere than at its providers overrides the fixture ``discovery``.

    Example:
        ::

            class TestRegistry(DiscoveryConformance):
                discovery_class = Registry
    """

    kind = Kind.DISCOVERY

    discovery_class: ClassVar[Any]
    """The class that the entry point names."""

    settings: ClassVar[Mapping[str, Any]] = {}
    """What the configuration says to the connector."""

    @property
    def connector(self) -> Any:
        """The class under test."""
        return self.discovery_class

    # -- what the author may replace ----------------------------------------------------------------------------------

    @pytest.fixture
    def vendor(self) -> Iterator[Upstream]:
        """The vendor that answers."""
        with Upstream() as vendor:
            yield vendor

    @pytest.fixture
    def providers(self, vendor: Upstream) -> dict[str, Any]:
        """The live providers, by their keys in the configuration."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}"
        return {UP: QuickProvider(base_url=vendor.url, api_key=KEY), DOWN: QuickProvider(base_url=nowhere, api_key=KEY)}

    @pytest.fixture
    def make(self, providers: Mapping[str, Any]) -> Iterator[Callable[[], Any]]:
        """Makes the connector as the mesh would, with the providers attached; what was made is closed at the end."""
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

    def test_contract(self, discovery: Any) -> None:
        """It has what the mesh calls: an ID, ``sync`` and ``probe``."""
        assert isinstance(discovery, Discovery)

    def test_sync_gives_a_result(self, discovery: Any) -> None:
        """Comparing gives a ``SyncResult`` whose parts are tuples of text, though one of the providers is down."""
        result = discovery.sync()
        assert type(result) is SyncResult
        assert {type(part) for part in _parts(result)} == {tuple}
        assert {type(one) for part in _parts(result) for one in part} <= {str}

    def test_models_go_by_their_provider(self, discovery: Any) -> None:
        """What changed is named ``provider/model``, with the provider's key in the configuration."""
        named = [one for part in _parts(discovery.sync())[:3] for one in part]
        assert [one for one in named if not one.startswith((f"{UP}/", f"{DOWN}/"))] == []

    def test_names_are_sorted_and_unique(self, discovery: Any, vendor: Upstream) -> None:
        """Each name is there once, in the order of the alphabet, however the vendor lists it."""
        listed = {"object": "list", "data": [{"id": name, "object": "model"} for name in ("m-3", "m-1", "m-3", "m-2")]}
        vendor.reply(listed)
        for part in _parts(discovery.sync([UP]))[:3]:
            assert list(part) == sorted(set(part))

    def test_nothing_is_new_twice(self, discovery: Any) -> None:
        """A second comparison finds nothing new, where nothing has changed."""
        discovery.sync([UP])
        assert _parts(discovery.sync([UP]))[:3] == ((), (), ())

    def test_who_is_down_is_an_error_among_the_others(self, discovery: Any) -> None:
        """A provider that does not answer is a line ``provider: message`` among the errors; nothing is raised."""
        errors = discovery.sync().errors
        assert [one for one in errors if one.startswith(f"{DOWN}: ")], f"errors are {errors}"
        assert not [one for one in errors if one.startswith(f"{UP}: ")], f"errors are {errors}"

    def test_who_is_down_loses_no_model(self, discovery: Any) -> None:
        """No model of a provider that does not answer is deprecated for it."""
        if hasattr(discovery, "set_known_models"):
            discovery.set_known_models(DOWN, [ModelInfo("m-known")])
        assert discovery.sync([DOWN]).deprecated_models == ()

    def test_sync_of_a_stranger_is_an_error_among_the_others(self, discovery: Any) -> None:
        """A name that no provider has is a line among the errors; nothing is raised."""
        errors = discovery.sync([NOBODY]).errors
        assert len(errors) == 1
        assert errors[0].startswith(f"{NOBODY}: ")

    # -- probes -------------------------------------------------------------------------------------------------------

    def test_probe_of_who_is_up(self, discovery: Any) -> None:
        """A provider that answers is a success, with milliseconds and without an error."""
        result = discovery.probe(UP)
        assert type(result) is ProbeResult
        assert (result.provider_id, result.success, result.error) == (UP, True, None)
        assert isinstance(result.latency_ms, float)
        assert result.latency_ms >= 0

    def test_probe_of_who_is_down(self, discovery: Any) -> None:
        """A provider that does not answer is no success: with an error, and without milliseconds, for there are none."""
        _failed(discovery.probe(DOWN), DOWN)

    def test_probe_of_a_stranger(self, discovery: Any) -> None:
        """A name that no provider has is no success and no exception."""
        _failed(discovery.probe(NOBODY), NOBODY)

    def test_many_threads_may_probe(self, discovery: Any) -> None:
        """Threads that probe at once each hear of the provider they asked about."""
        names = [UP, DOWN, NOBODY] * 10
        with ThreadPoolExecutor(6) as threads:
            results = list(threads.map(discovery.probe, names))
        assert [(result.provider_id, result.success) for result in results] == [(name, name == UP) for name in names]

    def test_reports_ask_nobody(self, discovery: Any, vendor: Upstream) -> None:
        """A connector that reports does it from memory: what was never looked at is unknown, what was looked at is told."""
        probe = discovery.probe
        if not isinstance(discovery, DiscoveryReports):
            pytest.skip("the connector offers no get_sync_status and get_health_report")
        status, before = discovery.get_sync_status(), discovery.get_health_report(UP)
        assert (type(status), status.last_sync) == (SyncStatus, None)
        assert [(type(one), one.provider_id, one.available) for one in before] == [(HealthReport, UP, None)]
        assert vendor.received == []
        probe(UP)
        asked = len(vendor.received)
        assert [one.available for one in discovery.get_health_report(UP)] == [True]
        assert len(vendor.received) == asked

    # -- secrecy and life ---------------------------------------------------------------------------------------------

    def test_key_is_in_nothing_shown(self, discovery: Any) -> None:
        """No key of a provider is in a result, in an error or in what the connector prints as."""
        said: list[Any] = [discovery.sync(), *map(discovery.probe, (UP, DOWN, NOBODY))]
        shown = f"{said!r} {discovery!r} {discovery} {getattr(discovery, 'config', '')!r}"
        assert KEY not in shown

    def test_instances_share_nothing(self, make: Callable[[], Any]) -> None:
        """What one instance found is new to another."""
        first = make().sync([UP])
        assert make().sync([UP]) == first

    def test_close_may_come_twice(self, discovery: Any) -> None:
        """A connector that is closed may be closed again, used or not."""
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

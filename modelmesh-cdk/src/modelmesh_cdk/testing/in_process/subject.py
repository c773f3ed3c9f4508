"""In-process provider under test: class variables that describe it, and fixtures."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from copy import deepcopy
from typing import Any, ClassVar

import pytest

from modelmesh.contracts import OPERATIONS, Kind, Operation
from modelmesh.contracts.call import Call, Limits
from modelmesh_cdk.testing.callers import Caller
from modelmesh_cdk.testing.provider.catalogued import Catalogued
from modelmesh_cdk.testing.scripted_model import ScriptedModel

SHORT_LIMITS = Limits(first_content=0.1, gap=0.1, answer=0.1, total=0.1)
LONG_LIMITS = Limits(first_content=60.0, gap=60.0, answer=60.0, total=60.0)
MOMENT_S = 0.1
ENGINE_ERRORS = (RuntimeError("out of memory"), MemoryError(), OSError("no such device"))

Play = Callable[[ScriptedModel], Caller]


class InProcessSubject(Catalogued):
    """The provider under test, the operation that it serves, and requests."""

    kind = Kind.PROVIDER

    provider_class: ClassVar[Any]
    """Class of the entry point."""

    operation_name: ClassVar[str]
    """Name of the operation, set by the kit."""

    request: ClassVar[Mapping[str, Any]]
    """A request, set by the kit. Override it if the provider needs another one."""

    other_requests: ClassVar[tuple[Mapping[str, Any], ...]]
    """Requests with other answers than :attr:`request` and than each other, set by the kit."""

    invalid_requests: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Parameters that make the request invalid, by the name of the case. The caller's mistake, at every provider."""

    price_names: ClassVar[tuple[str, ...]]
    """Prices by which a model of the operation is charged, set by the kit. A row states at least one of them."""

    settings: ClassVar[Mapping[str, Any]] = {}
    """Settings of the provider with the installed model, as in a configuration file."""

    stops_within_s: float = 10.0
    """Longest time in seconds until the engine starts, and until it stops after its request has ended."""

    @property
    def connector(self) -> Any:
        """The class under test."""
        return self.provider_class

    @property
    def operation(self) -> Operation:
        """The row of the operation."""
        return OPERATIONS[self.operation_name]

    def make(self, script: ScriptedModel) -> Any:
        """Return a provider whose engine follows the script in every request."""
        message = f"{type(self).__name__} needs a method make(self, script) that returns a provider whose engine plays the script"
        raise NotImplementedError(message)

    def make_installed(self) -> Any:
        """Return a provider with the installed model."""
        build = getattr(self.provider_class, "from_config", None) or self.provider_class
        return build({**self.settings})

    def call(self, payload: Mapping[str, Any] | None = None) -> Call:
        """Return a call of the operation."""
        return Call(self.operation, self.operation.capability, deepcopy(dict(self.request if payload is None else payload)))

    @classmethod
    def invalid_payloads(cls) -> dict[str, dict[str, Any]]:
        """Return the invalid requests by name: one without each required argument, and those of :attr:`invalid_requests`."""
        found = {
            f"no {left_out}": {name: value for name, value in cls.request.items() if name != left_out}
            for left_out in OPERATIONS[cls.operation_name].required_arguments
        }
        return {**found, **{name: {**cls.request, **wrong} for name, wrong in cls.invalid_requests.items()}}

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Parametrize tests with the invalid requests."""
        if "invalid" in metafunc.fixturenames:
            rows = type(self).invalid_payloads()
            metafunc.parametrize("invalid", list(rows.values()), ids=list(rows))

    @pytest.fixture
    def provider(self) -> Any:
        """A provider that answers."""
        return self.make(ScriptedModel())

    @pytest.fixture(params=["sync", "async"])
    def play(self, request: pytest.FixtureRequest) -> Iterator[Play]:
        """Factory of callers of a scripted provider. Each test with this fixture runs from a thread and from a task."""
        with ExitStack() as opened:

            def call(script: ScriptedModel) -> Caller:
                provider = self.make(script)
                return opened.enter_context(Caller(provider, in_task=request.param == "async", model=model_of(provider)))

            yield call

    def send(self, ask: Caller, **more: Any) -> Any:
        """Return the response to the request with further parameters."""
        return ask.operation(self.operation_name, {**self.request, **more})

    def is_stopped(self, script: ScriptedModel) -> bool:
        """Return whether the engine stops in time, or does not start the request at all."""
        return script.stopped.wait(MOMENT_S) or not script.runs or script.stopped.wait(self.stops_within_s)


def model_of(provider: Any) -> str:
    """Return the name of a provider's model, as ``send`` receives it."""
    return str(provider.models()[0].name)


def record_connections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that receives each use of Python's sockets, which fails. Sockets of native libraries are not seen."""
    used: list[str] = []

    def refuse(name: str) -> Callable[..., Any]:
        def refused(*arguments: Any, **_: Any) -> Any:
            used.append(f"{name} {arguments[-1]!r}")
            message = "the network is not available in this test"
            raise OSError(message)

        return refused

    for owner, name in (
        (socket.socket, "connect"),
        (socket.socket, "connect_ex"),
        (socket.socket, "sendto"),
        (socket, "getaddrinfo"),
    ):
        monkeypatch.setattr(owner, name, refuse(name))
    return used

"""Provider under test: class variables that describe it, and fixtures."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest

from modelmesh.contracts import Kind
from modelmesh_cdk.testing.callers import Caller
from modelmesh_cdk.testing.dialects import DIALECTS, Dialect
from modelmesh_cdk.testing.dialects.operation_samples import OPERATION_SAMPLES
from modelmesh_cdk.testing.naming import NamedConnector
from modelmesh_cdk.testing.provider.operation_cases import keeps_format, operations_of, parametrize_operations
from modelmesh_cdk.testing.upstream import Script, Upstream

KEY = "sk-test-of-the-conformance-kit"


class Subject(NamedConnector):
    """The provider under test and its capabilities."""

    kind = Kind.PROVIDER

    provider_class: ClassVar[Any]
    """Class of the entry point."""

    settings: ClassVar[Mapping[str, Any]] = {}
    """Settings in addition to ``base_url`` and ``api_key``, as in a configuration file."""

    dialect: ClassVar[str | Dialect] = "openai"
    """Wire format of the vendor: a name in ``modelmesh_cdk.testing.dialects.DIALECTS``, or a custom dialect."""

    supports_streaming: bool = True
    """The vendor supports streaming."""

    supports_stream_usage: bool = True
    """The vendor reports token counts in a stream."""

    supports_final_event: bool = True
    """The vendor sends a final event before it closes the connection."""

    supports_tools: bool = True
    """The vendor supports tools."""

    supports_parallel_tool_calls: bool = True
    """A response may contain several tool calls."""

    numbers_tool_calls: bool = True
    """The vendor numbers the tool calls of a stream as OpenAI does."""

    supports_several_choices: bool = True
    """A response may contain several choices."""

    supports_embeddings: bool = False
    """The connector serves embeddings."""

    supports_embedding_usage: bool = True
    """The vendor reports the tokens of embeddings. If ``False``, the connector must not report any."""

    supports_images: bool = True
    """A message may contain images."""

    supports_json_schema: bool = True
    """``response_format`` may contain a JSON schema."""

    supports_extra_headers: bool = True
    """The connector is an HTTP client and sends the caller's extra headers."""

    needs_key: bool = True
    """The vendor requires a key. A given key must be sent even if the vendor requires none."""

    operations: ClassVar[Collection[str] | None] = None
    """Operations, other than chat completions and embeddings, that the connector serves: names such as ``audio.speech``. ``None``
    stands for those of its model catalogue and of ``native_operations``."""

    unlisted: Collection[str] = ()
    """IDs of the catalogue whose kind the vendor's list excludes, and which are available without it."""

    @property
    def lists_models(self) -> bool:
        """Whether the connector reads the vendor's model list. By default whether it has ``discover_models``."""
        cls = self.provider_class
        return callable(getattr(cls, "discover_models", None)) and getattr(cls, "list_path", None) != ""

    # -- what follows -------------------------------------------------------------------------------------------------

    @property
    def connector(self) -> Any:
        """The class under test."""
        return self.provider_class

    @property
    def wire(self) -> Dialect:
        """The dialect of the vendor."""
        if not isinstance(self.dialect, str):
            return self.dialect
        if self.dialect not in DIALECTS:
            pytest.fail(
                f"unknown dialect {self.dialect!r}. Dialects are {', '.join(DIALECTS)}, or an instance of your own Dialect"
            )
        return DIALECTS[self.dialect]

    def require(self, capability: str) -> None:
        """Skip the test if the vendor or its format lacks a capability."""
        if capability in self.wire.unsupported_capabilities:
            pytest.skip(f"{capability}: {type(self.wire).__name__} does not support it")
        super().require(capability)

    @property
    def served_operations(self) -> list[str]:
        """Names of the operations of :attr:`operations`, in the order of ``modelmesh.contracts.OPERATIONS``."""
        served = operations_of(self.provider_class) if self.operations is None else self.operations
        return [name for name in OPERATION_SAMPLES if name in served]

    @property
    def openai_operations(self) -> list[str]:
        """The served operations whose format the dialect reads and writes, without those whose codec changes the format."""
        codecs = getattr(self.provider_class, "operation_codecs", {}) if self.operations is None else {}
        return [name for name in self.served_operations if name in self.wire.operations and keeps_format(name, codecs.get(name))]

    @property
    def failed_finish_reasons(self) -> Sequence[str]:
        """The vendor's finish reasons for a failed response. Without one, the test is skipped."""
        if not self.wire.failed_finish_reasons:
            pytest.skip(f"failed_finish_reasons: {type(self.wire).__name__} does not support it")
        return self.wire.failed_finish_reasons

    @property
    def root(self) -> str:
        """Path of the vendor's API with its version, from ``default_base_url``."""
        path = urlsplit(self.provider_class.default_base_url).path.rstrip("/")
        return path or str(self.provider_class.api_version)

    def make(self, upstream: Upstream, **settings: Any) -> Any:
        """Return a provider that is connected to the upstream. Override this for another construction."""
        settings = {"base_url": upstream.url, "api_key": KEY, **self.settings, **settings}
        build = getattr(self.provider_class, "from_config", None) or self.provider_class
        return build(settings)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Parametrize tests with the finish reasons and the error responses of the dialect, and with the served operations."""
        parametrize_operations(metafunc, self.served_operations, self.openai_operations)
        if "finish" in metafunc.fixturenames:
            reasons = {**self.wire.finish_reasons, "a_reason_of_tomorrow": self.wire.unknown_finish_reason}
            metafunc.parametrize("finish", list(reasons.items()), ids=list(reasons))
        if "refusal" in metafunc.fixturenames:
            rows = list(self.wire.error_responses)
            metafunc.parametrize("refusal", rows, ids=[f"{row.status}-{row.failure}" for row in rows])

    @pytest.fixture
    def upstream(self) -> Iterator[Upstream]:
        """The vendor's server."""
        with Upstream() as server:
            yield server

    @pytest.fixture
    def provider(self, upstream: Upstream) -> Any:
        """The provider. Override this fixture or ``make`` for a provider that needs more than settings."""
        return self.make(upstream)

    @pytest.fixture(params=["sync", "async"])
    def ask(self, request: pytest.FixtureRequest, provider: Any) -> Iterator[Caller]:
        """A caller of the provider. Each test with this fixture runs from a thread and from a task."""
        with Caller(provider, in_task=request.param == "async") as asking:
            yield asking

    # -- what the caller gets -----------------------------------------------------------------------------------------

    def extra_fields_of(self, got: Any, part: str) -> Any:
        """Return the part of a response or chunk that contains the unknown fields of a part, or an empty map."""
        for key in self.wire.extra_field_paths[part]:
            try:
                got = got[key]
            except (KeyError, IndexError, TypeError):
                return {}
        return got

    def arguments(self, text: object) -> object:
        """Return the arguments of a call for comparison: text, or the decoded object if the format has objects."""
        assert isinstance(text, str), "the arguments of a call are JSON as text"
        return text if self.wire.arguments_are_text else json.loads(text)

    # -- scripted responses -------------------------------------------------------------------------------------------

    def reply(self, upstream: Upstream, body: Mapping[str, Any], **headers: str) -> None:
        """Script the next response, in OpenAI's format."""
        upstream.then(Script(200, self.wire.write_response(body), headers))

    def stream_reply(self, upstream: Upstream, chunks: list[dict[str, Any]], **ending: bool) -> None:
        """Script the next stream of these chunks. ``done`` and ``cut`` define its end."""
        self.require("supports_streaming")
        upstream.stream(self.wire.write_stream(chunks, done=ending.get("done", True)), cut=ending.get("cut", False))

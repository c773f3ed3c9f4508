"""Who is tested: what the author of a provider says of it, and the fixtures that follow from that."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest

from modelmesh.contracts import Kind
from modelmesh_cdk.testing.callers import Caller
from modelmesh_cdk.testing.dialects import DIALECTS, Dialect
from modelmesh_cdk.testing.naming import Named
from modelmesh_cdk.testing.upstream import Script, Upstream

KEY = "sk-test-of-the-conformance-kit"


class Subject(Named):
    """The provider under test and what it can do."""

    kind = Kind.PROVIDER

    provider_class: ClassVar[Any]
    """The class that the entry point names."""

    settings: ClassVar[Mapping[str, Any]] = {}
    """Settings beside ``base_url`` and ``api_key``, as a configuration file would give them."""

    dialect: ClassVar[str | Dialect] = "openai"
    """The wire that the vendor speaks: a name in ``modelmesh_cdk.testing.dialects.DIALECTS``, or a dialect of your own."""

    supports_streaming: bool = True
    """The vendor streams answers."""

    supports_stream_usage: bool = True
    """The vendor says in a stream how many tokens it took."""

    supports_final_event: bool = True
    """The vendor says that a stream is over before it closes the connection."""

    supports_tools: bool = True
    """The vendor takes tools and calls them."""

    supports_parallel_tool_calls: bool = True
    """One answer may hold more than one tool call."""

    numbers_tool_calls: bool = True
    """The vendor numbers the tool calls of a stream in OpenAI's way, as every server of that format does or should."""

    supports_several_choices: bool = True
    """One answer may hold several choices."""

    supports_embeddings: bool = False
    """The vendor makes embeddings, and the connector serves them."""

    supports_embedding_usage: bool = True
    """The vendor says how many tokens the texts were; where it does not, the connector must not make any up."""

    supports_images: bool = True
    """A message may hold images."""

    supports_json_schema: bool = True
    """``response_format`` may hold a JSON schema."""

    supports_extra_headers: bool = True
    """The connector is an HTTP client and sends the caller's own headers."""

    needs_key: bool = True
    """There is nothing to be had without a key; where it is not needed and given, it is sent all the same."""

    unlisted: Collection[str] = ()
    """IDs of the catalogue that the vendor's list of models is not about, and that are there without being listed."""

    @property
    def lists_models(self) -> bool:
        """The vendor publishes a list of models, and the connector reads it; by default where it has ``discover_models``."""
        cls = self.provider_class
        return callable(getattr(cls, "discover_models", None)) and getattr(cls, "list_path", None) != ""

    # -- what follows -------------------------------------------------------------------------------------------------

    @property
    def connector(self) -> Any:
        """The class under test."""
        return self.provider_class

    @property
    def wire(self) -> Dialect:
        """The dialect, by name or the author's own."""
        if not isinstance(self.dialect, str):
            return self.dialect
        if self.dialect not in DIALECTS:
            pytest.fail(f"the kit knows no dialect {self.dialect!r}, only {', '.join(DIALECTS)}; give a Dialect of your own")
        return DIALECTS[self.dialect]

    def require(self, capability: str) -> None:
        """Skip the test when the vendor, or its whole format, lacks a capability."""
        if capability in self.wire.unsupported_capabilities:
            pytest.skip(f"{capability}: {type(self.wire).__name__} does not support it")
        super().require(capability)

    @property
    def failed_finish_reasons(self) -> Sequence[str]:
        """The vendor's words for an answer that failed at its end; the test is skipped when its format has none."""
        if not self.wire.failed_finish_reasons:
            pytest.skip(f"failed_finish_reasons: {type(self.wire).__name__} does not support it")
        return self.wire.failed_finish_reasons

    @property
    def root(self) -> str:
        """Path of the vendor's API, with its version: that of ``default_base_url``."""
        path = urlsplit(self.provider_class.default_base_url).path.rstrip("/")
        return path or str(self.provider_class.api_version)

    def make(self, upstream: Upstream, **settings: Any) -> Any:
        """Return a provider whose vendor is the upstream; override it for one that is built in another way."""
        settings = {"base_url": upstream.url, "api_key": KEY, **self.settings, **settings}
        build = getattr(self.provider_class, "from_config", None) or self.provider_class
        return build(settings)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a test for each finish reason and each refusal that the dialect has."""
        if "finish" in metafunc.fixturenames:
            reasons = {**self.wire.finish_reasons, "a_reason_of_tomorrow": self.wire.unknown_finish_reason}
            metafunc.parametrize("finish", list(reasons.items()), ids=list(reasons))
        if "refusal" in metafunc.fixturenames:
            rows = list(self.wire.error_responses)
            metafunc.parametrize("refusal", rows, ids=[f"{row.status}-{row.failure}" for row in rows])

    @pytest.fixture
    def upstream(self) -> Iterator[Upstream]:
        """The vendor, on loopback."""
        with Upstream() as server:
            yield server

    @pytest.fixture
    def provider(self, upstream: Upstream) -> Any:
        """The provider; override this fixture, or ``make``, when it needs more than settings."""
        return self.make(upstream)

    @pytest.fixture(params=["sync", "async"])
    def ask(self, request: pytest.FixtureRequest, provider: Any) -> Iterator[Caller]:
        """Asks the provider, from a thread and from a task: every test that takes this runs both ways."""
        with Caller(provider, in_task=request.param == "async") as asking:
            yield asking

    # -- what the caller gets -----------------------------------------------------------------------------------------

    def placed(self, got: Any, part: str) -> Any:
        """Return that of an answer or a chunk in which unknown fields of a part of it are; empty when it is not there."""
        for key in self.wire.extra_field_paths[part]:
            try:
                got = got[key]
            except (KeyError, IndexError, TypeError):
                return {}
        return got

    def arguments(self, text: object) -> object:
        """Return a call's arguments as they are to be compared: as text, or as what they mean where they come as objects."""
        assert isinstance(text, str), "the arguments of a call are JSON as text"
        return text if self.wire.arguments_are_text else json.loads(text)

    # -- what the vendor says -----------------------------------------------------------------------------------------

    def say(self, upstream: Upstream, body: Mapping[str, Any], **headers: str) -> None:
        """Let the vendor answer the next request with this, in OpenAI's shape."""
        upstream.then(Script(200, self.wire.write_response(body), headers))

    def say_in_pieces(self, upstream: Upstream, chunks: list[dict[str, Any]], **ending: bool) -> None:
        """Let the vendor stream these chunks next; ``done`` and ``cut`` say how it ends."""
        self.require("supports_streaming")
        upstream.stream(self.wire.write_stream(chunks, done=ending.get("done", True)), cut=ending.get("cut", False))

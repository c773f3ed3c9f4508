"""Who is tested: what the author of a provider says of it, and the fixtures that follow from that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest

from modelmesh.ids import Kind
from modelmesh_cdk.testing.asking import Asking
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

    dialect: ClassVar[str] = "openai"
    """The wire that the vendor speaks; one of ``modelmesh_cdk.testing.dialects.DIALECTS``."""

    supports_streaming: bool = True
    """The vendor streams answers."""

    supports_stream_usage: bool = True
    """The vendor says in a stream how many tokens it took."""

    supports_tools: bool = True
    """The vendor takes tools and calls them."""

    supports_parallel_tool_calls: bool = True
    """One answer may hold more than one tool call."""

    supports_images: bool = True
    """A message may hold images."""

    supports_json_schema: bool = True
    """``response_format`` may hold a JSON schema."""

    supports_extra_headers: bool = True
    """The connector is an HTTP client and sends the caller's own headers."""

    needs_key: bool = True
    """There is nothing to be had without a key."""

    # -- what follows -------------------------------------------------------------------------------------------------

    @property
    def connector(self) -> Any:
        """The class under test."""
        return self.provider_class

    @property
    def wire(self) -> Dialect:
        """The dialect, by name."""
        if self.dialect not in DIALECTS:
            pytest.fail(f"the kit knows no dialect {self.dialect!r}, only {', '.join(DIALECTS)}")
        return DIALECTS[self.dialect]

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
    def ask(self, request: pytest.FixtureRequest, provider: Any) -> Iterator[Asking]:
        """Asks the provider, from a thread and from a task: every test that takes this runs both ways."""
        with Asking(provider, in_task=request.param == "async") as asking:
            yield asking

    # -- what the vendor says -----------------------------------------------------------------------------------------

    def say(self, upstream: Upstream, body: Mapping[str, Any], **headers: str) -> None:
        """Let the vendor answer the next request with this, in OpenAI's shape."""
        upstream.then(Script(200, self.wire.answer(body), headers))

    def say_in_pieces(self, upstream: Upstream, chunks: list[dict[str, Any]], **ending: bool) -> None:
        """Let the vendor stream these chunks next; ``done`` and ``cut`` say how it ends."""
        self.require("supports_streaming")
        upstream.stream(self.wire.events(chunks, done=ending.get("done", True)), cut=ending.get("cut", False))

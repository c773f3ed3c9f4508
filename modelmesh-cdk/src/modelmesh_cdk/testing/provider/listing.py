"""Tests of model discovery."""

from __future__ import annotations

import json
import traceback
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import pytest

from modelmesh.contracts import FailureClass
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing.callers import LIMITS
from modelmesh_cdk.testing.provider.subject import KEY, Subject
from modelmesh_cdk.testing.upstream import Received, Script, Upstream

_F = FailureClass
NEW = ("a-model-of-tomorrow", "another/model:of-tomorrow", "a-third-model")
"""Names that are in no catalogue."""

NO_MODELS: Sequence[Any] = (None, 7, [], {}, {"id": ["x"], "name": ["x"]}, {"id": "", "name": ""}, {"id": {}, "name": {}})


NO_LISTS = (
    b"",
    b"<html>Welcome</html>",
    b"null",
    b'"models"',
    b'{"object": "list"}',
    b'{"data": {"id": "x"}, "models": {"name": "x"}}',
)


class Listing(Subject):
    """The connector requests the vendor's list correctly, reads all pages, and infers only what the list states."""

    def catalogue(self, provider: Any) -> dict[str, Any]:
        """Return the rows of the catalogue by the vendor's names."""
        rows = getattr(provider, "shipped_models", provider.models)()
        return {row.name: row for row in rows if row.id not in self.unlisted}

    def discovered(self, provider: Any) -> Sequence[Any]:
        """Return the rows that the connector reads from the vendor's list, and close its connections."""
        try:
            found: Sequence[Any] = provider.discover_models(LIMITS)
        finally:
            provider.close()
        return found

    def ids(self, found: Sequence[Any]) -> Collection[str]:
        """Return the IDs of rows, without models that are available although they are not listed."""
        return sorted(row.id for row in found if row.id not in self.unlisted)

    def answer_with(self, upstream: Upstream, names: Sequence[Any], *, size: int) -> None:
        """Script the vendor's list with this many models on a page, if its list has pages."""

        def page(received: Received) -> Script:
            after = self.wire.requested_page(received)
            begin = 0 if after is None else list(names).index(after) + 1
            end = begin + size if self.wire.has_pages else len(names)
            return Script(200, self.wire.write_model_list(names[begin:end], more=end < len(names)))

        upstream.always(page)

    def list_refused(self, provider: Any, upstream: Upstream, script: Script) -> ProviderError:
        """Return the error of a list with this scripted response."""
        upstream.always(script)
        with pytest.raises(ProviderError) as caught:
            self.discovered(provider)
        return caught.value

    def test_list_request_has_path_and_key(self, provider: Any, upstream: Upstream) -> None:
        """The list is requested with ``GET`` at the vendor's path, without a body and with the key."""
        self.require("lists_models")
        self.answer_with(upstream, NEW, size=len(NEW))
        self.discovered(provider)
        received = upstream.last
        assert (received.method, received.path.partition("?")[0]) == ("GET", self.wire.model_list_path(self.root))
        assert (self.wire.key(received), received.body) == (KEY, b"")
        assert KEY not in received.path

    def test_list_pages_are_all_read(self, provider: Any, upstream: Upstream) -> None:
        """Every model of every page is listed once. No page is requested twice."""
        self.require("lists_models")
        self.answer_with(upstream, NEW, size=1)
        assert self.ids(self.discovered(provider)) == sorted(NEW)
        assert len(upstream.received) == (len(NEW) if self.wire.has_pages else 1)

    def test_list_without_end_is_a_failure(self, provider: Any, upstream: Upstream) -> None:
        """A vendor that returns the same page again is not requested further, and an incomplete list is an error."""
        self.require("lists_models")
        upstream.always(Script(200, self.wire.write_model_list(NEW, more=True)))
        found: Any = None
        try:
            found = self.ids(self.discovered(provider))
        except ProviderError as error:
            found = error.failure
        assert found == (_F.PROTOCOL if self.wire.has_pages else sorted(NEW))
        assert len(upstream.received) <= len(NEW)

    def test_list_keeps_catalogue_rows(self, provider: Any, upstream: Upstream) -> None:
        """A model of the catalogue keeps its row unchanged when it is listed."""
        self.require("lists_models")
        known = self.catalogue(provider)
        self.answer_with(upstream, [*NEW, *known], size=len(NEW))
        found = {row.id: row for row in self.discovered(provider)}
        assert {row.id: found.get(row.id) for row in known.values()} == {row.id: row for row in known.values()}
        assert self.ids(list(found.values())) == sorted([*NEW, *(row.id for row in known.values())])

    def test_list_drops_unlisted_models(self, provider: Any, upstream: Upstream) -> None:
        """A model that the vendor does not list is not available, even if the catalogue has it."""
        self.require("lists_models")
        self.answer_with(upstream, NEW, size=len(NEW))
        assert self.ids(self.discovered(provider)) == sorted(NEW)

    def test_list_guesses_no_facts_of_new_models(self, provider: Any, upstream: Upstream) -> None:
        """A new model has no guessed capability, feature, window or price. It has a source and a date."""
        self.require("lists_models")
        self.answer_with(upstream, NEW, size=len(NEW))
        for row in self.discovered(provider):
            if row.id in NEW:
                stated = (tuple(row.capabilities), dict(row.features), dict(row.delivery), row.context_window, row.pricing)
                assert (*stated, row.max_output_tokens, row.name) == ((), {}, {}, None, None, None, row.id)
                assert row.extra["source"]
                assert date.fromisoformat(row.extra["as_of"])

    def test_list_skips_invalid_rows(self, provider: Any, upstream: Upstream) -> None:
        """A row that is not a map or has no name does not affect the rest of the list."""
        self.require("lists_models")
        upstream.always(Script(200, self.wire.write_model_list([*NO_MODELS, *NEW])))
        assert self.ids(self.discovered(provider)) == sorted(NEW)

    def test_list_error_has_its_class(self, provider: Any, upstream: Upstream) -> None:
        """A rejected key is an error of that class, not an empty list."""
        self.require("lists_models")
        error = self.list_refused(provider, upstream, self.wire.write_error(401, "test"))
        assert (error.failure, error.status) == (_F.CREDENTIAL, 401)

    def test_list_error_contains_no_key(self, provider: Any, upstream: Upstream) -> None:
        """A key that the vendor repeats is in no message, body or traceback of the error."""
        self.require("lists_models")
        for status in (401, 400):
            error = self.list_refused(provider, upstream, self.wire.write_error(status, f"Incorrect API key provided: {KEY}"))
            assert KEY not in json.dumps([str(error), repr(error), repr(vars(error))]), f"HTTP {status}"
            assert KEY not in "".join(traceback.format_exception(error)), f"the traceback of HTTP {status}"

    @pytest.mark.parametrize("body", NO_LISTS)
    def test_list_of_other_shape_is_a_failure(self, body: bytes, provider: Any, upstream: Upstream) -> None:
        """A successful response without a list is an error, not an empty list."""
        self.require("lists_models")
        assert self.list_refused(provider, upstream, Script(200, body)).failure is _F.PROTOCOL

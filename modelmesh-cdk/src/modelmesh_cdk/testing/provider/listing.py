"""Which models the vendor has now, as the connector hears of it."""

from __future__ import annotations

import json
import traceback
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import pytest

from modelmesh.contracts import FailureClass
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing.asking import LIMITS
from modelmesh_cdk.testing.provider.subject import KEY, Subject
from modelmesh_cdk.testing.upstream import Received, Script, Upstream

_F = FailureClass
NEW = ("a-model-of-tomorrow", "another/model:of-tomorrow", "a-third-model")
"""Names that no catalogue has."""

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
    """The vendor's list of models is asked for as the vendor wants it, read to its end, and believed no further than it goes."""

    def catalogue(self, provider: Any) -> dict[str, Any]:
        """Return the rows that the connector ships, by the vendor's names."""
        rows = getattr(provider, "shipped_models", provider.models)()
        return {row.name: row for row in rows if row.id not in self.unlisted}

    def discovered(self, provider: Any) -> Sequence[Any]:
        """Return what the connector makes of the vendor's list, and close its connections."""
        try:
            found: Sequence[Any] = provider.discover_models(LIMITS)
        finally:
            provider.close()
        return found

    def ids(self, found: Sequence[Any]) -> Collection[str]:
        """Return the IDs of rows but for those that are there without being listed."""
        return sorted(row.id for row in found if row.id not in self.unlisted)

    def answer_with(self, upstream: Upstream, names: Sequence[Any], *, size: int) -> None:
        """Let the vendor list these models, as many on a page, where its list has pages."""

        def page(received: Received) -> Script:
            after = self.wire.page_after(received)
            begin = 0 if after is None else list(names).index(after) + 1
            end = begin + size if self.wire.pages else len(names)
            return Script(200, self.wire.listing(names[begin:end], more=end < len(names)))

        upstream.always(page)

    def list_refused(self, provider: Any, upstream: Upstream, script: Script) -> ProviderError:
        """Return the error of a list that is answered by this script."""
        upstream.always(script)
        with pytest.raises(ProviderError) as caught:
            self.discovered(provider)
        return caught.value

    def test_list_is_asked_as_the_vendor_wants(self, provider: Any, upstream: Upstream) -> None:
        """The list is got (``GET``) where the vendor has it, without a body and with the key where the vendor looks for it."""
        self.require("lists_models")
        self.answer_with(upstream, NEW, size=len(NEW))
        self.discovered(provider)
        received = upstream.last
        assert (received.method, received.path.partition("?")[0]) == ("GET", self.wire.listed_at(self.root))
        assert (self.wire.key(received), received.body) == (KEY, b"")
        assert KEY not in received.path

    def test_list_is_read_to_its_end(self, provider: Any, upstream: Upstream) -> None:
        """Every model of every page is there, each once, and no page is asked for twice."""
        self.require("lists_models")
        self.answer_with(upstream, NEW, size=1)
        assert self.ids(self.discovered(provider)) == sorted(NEW)
        assert len(upstream.received) == (len(NEW) if self.wire.pages else 1)

    def test_list_without_an_end_is_left(self, provider: Any, upstream: Upstream) -> None:
        """A vendor that answers with the same page again and again is asked no more, and half a list is no list."""
        self.require("lists_models")
        upstream.always(Script(200, self.wire.listing(NEW, more=True)))
        found: Any = None
        try:
            found = self.ids(self.discovered(provider))
        except ProviderError as error:
            found = error.failure
        assert found == (_F.PROTOCOL if self.wire.pages else sorted(NEW))
        assert len(upstream.received) <= len(NEW)

    def test_known_models_are_the_catalogues(self, provider: Any, upstream: Upstream) -> None:
        """What the catalogue knows is its row, to the letter: a model does not change for being listed."""
        self.require("lists_models")
        known = self.catalogue(provider)
        self.answer_with(upstream, [*NEW, *known], size=len(NEW))
        found = {row.id: row for row in self.discovered(provider)}
        assert {row.id: found.get(row.id) for row in known.values()} == {row.id: row for row in known.values()}
        assert self.ids(list(found.values())) == sorted([*NEW, *(row.id for row in known.values())])

    def test_models_that_are_not_listed_are_gone(self, provider: Any, upstream: Upstream) -> None:
        """What the vendor does not list is not there, whatever the catalogue says."""
        self.require("lists_models")
        self.answer_with(upstream, NEW, size=len(NEW))
        assert self.ids(self.discovered(provider)) == sorted(NEW)

    def test_what_is_not_listed_of_a_model_is_unknown(self, provider: Any, upstream: Upstream) -> None:
        """Of a new model nothing is guessed: no capability, no feature, no window, no price; it is dated and sourced."""
        self.require("lists_models")
        self.answer_with(upstream, NEW, size=len(NEW))
        for row in self.discovered(provider):
            if row.id in NEW:
                stated = (tuple(row.capabilities), dict(row.features), dict(row.delivery), row.context_window, row.pricing)
                assert (*stated, row.max_output_tokens, row.name) == ((), {}, {}, None, None, None, row.id)
                assert row.extra["source"]
                assert date.fromisoformat(row.extra["as_of"])

    def test_rows_that_are_no_models_are_left_out(self, provider: Any, upstream: Upstream) -> None:
        """A row that is no map, or has no name, costs nobody the rest of the list."""
        self.require("lists_models")
        upstream.always(Script(200, self.wire.listing([*NO_MODELS, *NEW])))
        assert self.ids(self.discovered(provider)) == sorted(NEW)

    def test_refused_list_is_a_failure(self, provider: Any, upstream: Upstream) -> None:
        """A key that the vendor does not take is a failure of that class, and not an empty list."""
        self.require("lists_models")
        error = self.list_refused(provider, upstream, self.wire.refusal(401, "test"))
        assert (error.failure, error.status) == (_F.CREDENTIAL, 401)

    def test_key_is_in_no_error_of_the_list(self, provider: Any, upstream: Upstream) -> None:
        """A vendor that repeats the key does not get it into our error: message, body or traceback."""
        self.require("lists_models")
        for status in (401, 400):
            error = self.list_refused(provider, upstream, self.wire.refusal(status, f"Incorrect API key provided: {KEY}"))
            assert KEY not in json.dumps([str(error), repr(error), repr(vars(error))]), f"HTTP {status}"
            assert KEY not in "".join(traceback.format_exception(error)), f"the traceback of HTTP {status}"

    @pytest.mark.parametrize("body", NO_LISTS)
    def test_answer_that_is_no_list_is_a_failure(self, body: bytes, provider: Any, upstream: Upstream) -> None:
        """A success without a list is no list of no models."""
        self.require("lists_models")
        assert self.list_refused(provider, upstream, Script(200, body)).failure is _F.PROTOCOL

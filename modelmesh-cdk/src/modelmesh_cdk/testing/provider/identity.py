"""Tests of a connector's ID, hooks and end of life."""

from __future__ import annotations

import pytest

from modelmesh._engine.plugins.validation import misspelt_hooks
from modelmesh.contracts import Kind
from modelmesh_cdk.provider.declared_hooks import private_overrides
from modelmesh_cdk.testing.callers import Caller
from modelmesh_cdk.testing.dialects.samples import text_answer
from modelmesh_cdk.testing.provider.catalogued import Catalogued
from modelmesh_cdk.testing.provider.subject import Subject
from modelmesh_cdk.testing.upstream import Upstream


class Identity(Catalogued, Subject):
    """The connector has valid names and hooks, and can be closed more than once."""

    def test_hooks_are_not_misspelt(self, provider: object) -> None:
        """No unused name is almost the name of a hook."""
        assert [str(slip) for slip in misspelt_hooks(type(provider), Kind.PROVIDER)] == []

    def test_only_hooks_are_overridden(self, provider: object) -> None:
        """The connector overrides declared hooks and public methods of the kit, and no private name."""
        assert [str(one) for one in private_overrides(type(provider))] == []

    @pytest.mark.parametrize("in_task", [False, True], ids=["sync", "async"])
    def test_close_may_be_repeated(self, in_task: bool, upstream: Upstream) -> None:  # noqa: FBT001 - a parameter of pytest
        """A second close has no effect, whether or not the provider served a request."""
        self.reply(upstream, text_answer())
        for used in (False, True):
            with Caller(self.make(upstream), in_task=in_task) as ask:
                if used:
                    ask.answer()
                ask.close()
                ask.close()

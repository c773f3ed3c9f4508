"""Tests of a connector's model catalogue."""

from __future__ import annotations

from datetime import date

from modelmesh.capabilities.nodes import standard_tree
from modelmesh_cdk.testing.naming import NamedConnector


class Catalogued(NamedConnector):
    """Rows of the catalogue have a source, a date and a unique ID."""

    def test_models_have_source_and_date(self, provider: object) -> None:
        """Every row of the catalogue and every price has a source and a date."""
        undated = []
        for info in provider.models():  # type: ignore[attr-defined]
            facts = [(info.extra.get("source"), info.extra.get("as_of"))]
            if info.pricing is not None:
                facts.append((info.pricing.source or info.extra.get("source"), info.pricing.as_of or info.extra.get("as_of")))
            undated += [info.id for source, as_of in facts if not source or not _is_day(as_of)]
        assert not undated, f"rows without a source or a day (ISO 8601): {', '.join(undated)}"

    def test_models_have_unique_ids(self, provider: object) -> None:
        """Each ID occurs in one row of the catalogue."""
        names = [info.id for info in provider.models()]  # type: ignore[attr-defined]
        assert sorted(names) == sorted(set(names))

    def test_models_have_known_capabilities(self, provider: object) -> None:
        """Every capability is in the tree or is a dotted path of the connector. A short name must be in the tree."""
        named = {name for info in provider.models() for name in info.capabilities}  # type: ignore[attr-defined]
        tree = standard_tree()
        assert [name for name in sorted(named) if "." not in name and tree.get_node(name) is None] == []


def _is_day(text: object) -> bool:
    try:
        return bool(date.fromisoformat(str(text)))
    except ValueError:
        return False

"""The deprecation helpers."""

from __future__ import annotations

import inspect

import pytest

from modelmesh._engine.foundation.deprecation import deprecated, warn_deprecated


class Mesh:
    @deprecated(since="0.2.0", removal="0.4.0", instead="Mesh.get_statistics()")
    def stats(self, scope: str = "all") -> str:
        """Return statistics."""
        return f"statistics of {scope}"


def test_deprecated_method_works_and_warns_at_the_caller() -> None:
    with pytest.warns(DeprecationWarning, match="Mesh.stats") as caught:
        assert Mesh().stats(scope="pools") == "statistics of pools"
    assert str(caught[0].message) == (
        "Mesh.stats() is deprecated since 0.2.0 and will be removed in 0.4.0; use Mesh.get_statistics()"
    )
    assert caught[0].filename == __file__


def test_deprecated_method_keeps_its_signature_and_docstring() -> None:
    assert Mesh.stats.__doc__ == "Return statistics."
    assert list(inspect.signature(Mesh.stats).parameters) == ["self", "scope"]


def test_warn_deprecated_names_versions_and_replacement() -> None:
    with pytest.warns(DeprecationWarning, match=r"create\(pool=\) .* 0\.2\.0 .* 0\.4\.0; use model="):
        warn_deprecated("create(pool=)", since="0.2.0", removal="0.4.0", instead="model=")

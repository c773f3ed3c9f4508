"""Base class of the conformance tests: required capabilities, and a guard against overridden tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

GUARD = "test_suite_overrides_no_standard_test"


class Conformance:
    """Base class of the conformance tests. Test classes derive from its subclasses.

    A standard test may be deleted or overridden only under ``@pytest.mark.xfail(reason=…)``, which documents the failure for
    users. An unsupported capability is not a failure: set it to ``False``, and the tests that need it are skipped with its name.
    """

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if GUARD in cls.__dict__ and not _of_the_kit(cls):
            message = f"{cls.__module__}.{cls.__qualname__} overrides {GUARD}, which guards the others. Remove it."
            raise TypeError(message)

    def __getattr__(self, name: str) -> Any:
        if name.endswith("_class"):
            message = f"{type(self).__name__} does not name its connector: write '{name} = YourConnector' in its body."
        else:
            message = f"{type(self).__name__!r} object has no attribute {name!r}"
        raise AttributeError(message)

    def require(self, capability: str) -> None:
        """Skip the test if a capability is not supported."""
        if not getattr(self, capability):
            pytest.skip(f"{capability} is {getattr(self, capability)!r}")

    @classmethod
    def standard_tests(cls) -> Iterator[tuple[str, Any]]:
        """Yield the name and the function of each standard test."""
        for home in reversed(cls.__mro__):
            if _of_the_kit(home):
                yield from ((name, value) for name, value in vars(home).items() if name.startswith("test_"))

    def test_suite_overrides_no_standard_test(self) -> None:
        """A standard test is deleted or overridden only under ``@pytest.mark.xfail(reason=…)``."""
        changed = {name for name, kept in dict(self.standard_tests()).items() if getattr(type(self), name, None) is not kept}
        silent = sorted(name for name in changed if not _has_a_reason(getattr(type(self), name, None)))
        assert not silent, (
            f"{type(self).__name__} deletes or overrides {', '.join(silent)} without a reason. "
            "Mark the override @pytest.mark.xfail(reason='…'), or let the standard test run."
        )


def _of_the_kit(cls: type) -> bool:
    return cls.__module__.startswith("modelmesh_cdk.testing.")


def _has_a_reason(test: Any) -> bool:
    marks = getattr(test, "pytestmark", ())
    return any(mark.name == "xfail" and str(mark.kwargs.get("reason", "")).strip() for mark in marks)

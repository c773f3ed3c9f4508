"""Guard of the standard tests: overrides need ``xfail(reason=…)``, and missing capabilities skip with their name."""

from __future__ import annotations

import pytest

from modelmesh_cdk.testing import ProviderConformance, StrategyConformance
from modelmesh_cdk.testing.conformance import GUARD, Conformance
from modelmesh_cdk.testing.dialects import DIALECTS, OpenAIDialect


def guard(cls: type[Conformance]) -> None:
    getattr(cls(), GUARD)()


def test_guard_accepts_unchanged_class() -> None:
    class ConnectorReport(ProviderConformance):
        supports_images = False

        def test_of_my_own(self) -> None: ...

    guard(ConnectorReport)


def test_class_without_connector_raises() -> None:
    class TestNothing(StrategyConformance):
        pass

    with pytest.raises(AttributeError, match="TestNothing does not name its connector: write 'strategy_class = YourConnector'"):
        _ = TestNothing().strategy_class
    with pytest.raises(AttributeError, match="has no attribute 'strategy_clas'"):
        _ = TestNothing().strategy_clas  # type: ignore[attr-defined]


def test_guard_names_deleted_test() -> None:
    class Deletes(ProviderConformance):
        test_request_keeps_zero = None

    with pytest.raises(AssertionError, match=r"Deletes deletes or overrides test_request_keeps_zero without a reason.*xfail"):
        guard(Deletes)


def test_guard_names_test_overridden_in_base() -> None:
    class Overrides(ProviderConformance):
        def test_request_keeps_zero(self) -> None: ...

    class Below(Overrides):
        pass

    with pytest.raises(AssertionError, match="test_request_keeps_zero"):
        guard(Below)


@pytest.mark.parametrize("mark", [pytest.mark.skip(reason="slow"), pytest.mark.xfail, pytest.mark.xfail(reason=" ")])
def test_guard_rejects_mark_without_reason(mark: pytest.MarkDecorator) -> None:
    class Overrides(ProviderConformance):
        @mark
        def test_request_keeps_zero(self) -> None: ...

    with pytest.raises(AssertionError, match="test_request_keeps_zero"):
        guard(Overrides)


def test_guard_accepts_xfail_with_reason() -> None:
    class SaysWhy(ProviderConformance):
        @pytest.mark.xfail(reason="the vendor takes a temperature above 0 only (docs.acme.example, 2026-11-21)")
        def test_request_keeps_zero(self) -> None:
            raise NotImplementedError

    guard(SaysWhy)


def test_guard_cannot_be_overridden() -> None:
    with pytest.raises(TypeError, match=GUARD):
        type("Sly", (ProviderConformance,), {GUARD: None})


def test_missing_capability_skips_with_its_name() -> None:
    class Plain(ProviderConformance):
        supports_images = False

    with pytest.raises(pytest.skip.Exception, match="supports_images"):
        Plain().require("supports_images")
    Plain().require("supports_tools")


def test_unknown_dialect_is_named() -> None:
    class Foreign(ProviderConformance):
        dialect = "morse"

    with pytest.raises(pytest.fail.Exception, match="'morse'. Dialects are anthropic, cohere, gemini, openai"):
        _ = Foreign().wire


def test_custom_dialect_is_used() -> None:
    class Morse(OpenAIDialect):
        """Custom dialect."""

    class Native(ProviderConformance):
        dialect = Morse()

    assert isinstance(Native().wire, Morse)


def test_unsupported_capability_of_format_skips() -> None:
    class Eager(ProviderConformance):
        dialect = "anthropic"
        supports_embeddings = True

    with pytest.raises(pytest.skip.Exception, match="supports_embeddings: AnthropicDialect"):
        Eager().require("supports_embeddings")
    Eager().require("supports_tools")


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_dialect_defines_reasons_errors_and_paths(name: str) -> None:
    wire = DIALECTS[name]
    assert wire.finish_reasons
    assert {row.failure for row in wire.error_responses} >= {"refused", "capability", "credential", "quota", "throttle", "server"}
    assert wire.extra_field_paths.keys() == OpenAIDialect.extra_field_paths.keys()
    assert all(hasattr(ProviderConformance, capability) for capability in wire.unsupported_capabilities)


def test_standard_tests_have_docstrings() -> None:
    assert [name for name, test in ProviderConformance.standard_tests() if not (test.__doc__ or "").strip().endswith(".")] == []

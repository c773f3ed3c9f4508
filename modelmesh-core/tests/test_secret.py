"""Secrets: redaction by ``scrub``, and the source of a key."""

from __future__ import annotations

import pytest

from modelmesh._engine.builtin.env import EnvironmentStore
from modelmesh._engine.config.references import References
from modelmesh._engine.config.source_map import SourceMap
from modelmesh._engine.foundation.secret import PART
from modelmesh.contracts import Secret

KEY = "sk-test-0123456789abcdefXYZ"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"bad key {KEY}.", "bad key …."),
        (f"bad key {KEY.upper()}.", "bad key …."),
        (f"bad key {KEY[:20]}", "bad key …"),
        (f"bad key …{KEY[8:]} and {KEY}", "bad key …… and …"),
        ("bad key sk-test-****XYZ", "bad key sk-test-****XYZ"),
        ("nothing of it", "nothing of it"),
    ],
)
def test_scrub_long_secret_redacts_parts_in_any_case(text: str, shown: str) -> None:
    assert Secret(KEY).scrub(text).replace("……", "…") == shown.replace("……", "…")


@pytest.mark.parametrize("start", range(len(KEY) - PART + 1))
def test_scrub_long_secret_redacts_its_parts_wherever_they_begin(start: int) -> None:
    assert Secret(KEY).scrub(f"bad key {KEY[start : start + PART].swapcase()}!") == "bad key …!"
    assert Secret(KEY).scrub(f"bad key {KEY[start : start + PART - 1]}!") != "bad key …!"


def test_scrub_short_secret_redacts_exact_text_only() -> None:
    assert Secret("test-key").scrub("TEST-KEY test-key test") == "TEST-KEY … test"


@pytest.mark.parametrize(
    ("reference", "source"),
    [
        ("${TEST_SOURCE_KEY}", "TEST_SOURCE_KEY"),
        ("${env:TEST_SOURCE_KEY}", "TEST_SOURCE_KEY"),
        ("${secrets:TEST_SOURCE_KEY}", "TEST_SOURCE_KEY"),
    ],
)
def test_resolve_reference_names_the_variable_as_the_source(reference: str, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SOURCE_KEY", KEY)
    found = References(EnvironmentStore(), SourceMap()).resolve(reference, ("providers", "a", "api_key"))
    assert (found.source, found.reveal()) == (source, KEY)

"""Redaction of secrets in untrusted text."""

from __future__ import annotations

import subprocess
import sys

import pytest

from modelmesh_cdk.observability.redaction import REDACTED, redact, redact_record


@pytest.mark.parametrize(
    "text", ['token="a-b-c-d"', "token='a\\'b-c-d'", 'x-api_key: "abcd"', "OPENAI_API_KEY=abcd-efgh", "Bearer abcd-efgh"]
)
def test_redact_record_hides_values_of_secret_names(text: str) -> None:
    assert REDACTED in redact(f"before {text} after")
    assert "b-c" not in redact(text)
    assert "bcd" not in redact(text)


@pytest.mark.parametrize("text", ["max_tokens: 16", "token=", "the token was refused", "tokens=12"])
def test_redact_keeps_other_text(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    ['"token=\'" + "\\\\a" * 20_000', '"x" * 100_000', '"token" * 20_000', '"token=\'\\\\" * 5_000', '"token" + " " * 50_000'],
)
def test_redact_takes_linear_time(text: str) -> None:
    code = f"from modelmesh_cdk.observability.redaction import redact; redact({text})"
    # With a pattern that backtracks this takes minutes, or for ever: the process is ended, and that is the failure.
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)


def test_redact_record_keeps_logprob_tokens() -> None:
    said = {"logprobs": {"content": [{"token": "Hi", "logprob": -0.1, "top_logprobs": [{"token": "Ho", "logprob": -2.0}]}]}}
    assert redact_record(said) == said
    assert redact_record({"token": "test-1", "name": "x"}) == {"token": REDACTED, "name": "x"}

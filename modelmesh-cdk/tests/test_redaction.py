"""Redaction of secrets in untrusted text."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmesh_cdk.observability.redaction import REDACTED, may_contain_secret, redact, redact_record


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


# -- the search for words against the patterns alone -------------------------------------------------------------------

NAMES = r"(?<![\w-])[\w-]*(?:api[_-]?key|token|secret|password|authorization)"
PATTERNS: list[tuple[re.Pattern[str], str]] = [
    (
        re.compile(
            r"\b(?:(?:sk|xai|pplx|nvapi|csk|xox[abpr])-|(?:gsk|hf|fw|r8|gh[opsu]|github_pat|tgp_v1)_|AIza)(?=[\w-]*\d)[\w-]{12,}"
            r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
        ),
        REDACTED,
    ),
    (
        re.compile(rf"""(["']?{NAMES}["']?\s*[:=]\s*)(?!\d)(["'])(?:\\.|(?!\2)[^\\\n])*\2""", re.IGNORECASE),
        rf"\g<1>\g<2>{REDACTED}\g<2>",
    ),
    (re.compile(rf"""({NAMES}\s*=\s*)(?![\d"'*])[^\s"',;&]{{4,}}""", re.IGNORECASE), rf"\g<1>{REDACTED}"),
    (re.compile(r"\b(Bearer\s+)[\w.~+/=-]{4,}", re.IGNORECASE), rf"\g<1>{REDACTED}"),
]


def redact_by_patterns(text: str) -> str:
    """Apply every pattern to a text, without the search for words."""
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text


fragments = st.sampled_from(
    [
        *(
            "api_key",
            "API-Key",
            "apikey",
            "ap\u0130_key",
            "ap\u0131key",
            "api_\u212aey",
            "token",
            "To\u212aen",
            "tokens",
            "TOKENſ",
        ),
        *("secret", "\u017fecret", "pa\u017f\u017fword", "Password", "authorization", "Author\u0130zat\u0131on", "x-", "_"),
        *("Bearer ", "bearer\n", "BEARER\u2003", "sk-", "xai-", "pplx-", "nvapi-", "csk-", "xoxb-", "gsk_", "hf_", "fw_", "r8_"),
        *("gho_", "ghp_", "ghs_", "ghu_", "github_pat_", "tgp_v1_", "AIza", "AKIA", "ASIA", "0123456789ABCDEF", "abcdefgh1jkl"),
        *("=", ": ", " : ", '"', "'", "\\", "\n", " ", "\u2028", ",", "&", "*", "a", "5", "ß", "模", "\ud800", "\x1c", "\u0307"),
    ]
)
nasty_texts = st.lists(fragments | st.text(max_size=6), max_size=12).map("".join)


@settings(max_examples=1000)
@given(nasty_texts)
def test_redact_equals_the_patterns(text: str) -> None:
    assert redact(text) == redact_by_patterns(text)


@settings(max_examples=500)
@given(
    st.recursive(
        nasty_texts | st.none() | st.integers(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(nasty_texts, inner, max_size=3),
        max_leaves=6,
    )
)
def test_record_without_suspicious_json_has_no_secret(record: Any) -> None:
    line = json.dumps(record, ensure_ascii=False)
    if not may_contain_secret(line):
        assert redact_record(record) == record

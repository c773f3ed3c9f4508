"""Error bodies in every shape, and what their codes and words mean for every vendor."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmesh.contracts import FailureClass
from modelmesh_cdk.provider import error_bodies
from modelmesh_cdk.provider.base import BaseProvider
from modelmesh_cdk.provider.common_errors import COMMON
from modelmesh_cdk.provider.error_bodies import LONGEST_TEXT, ErrorBody, is_page, read_error, reading_once
from modelmesh_cdk.provider.error_mapping import ANY_STATUS, ErrorMapping, error_mapping, find_mapping, find_unsupported_parameter

INNER = {"error": {"message": "inner", "type": "invalid_request_error", "code": "context_length_exceeded"}}

SHAPES: dict[str, tuple[Any, ErrorBody]] = {
    "a text": ("boom", ErrorBody(text="boom")),
    "a text under error": ({"error": "boom"}, ErrorBody(text="boom")),
    "OpenAI's": (
        {"error": {"message": "m", "type": "invalid_request_error", "param": "tools", "code": "bad"}},
        ErrorBody(("bad", "invalid_request_error"), "m", "tools"),
    ),
    "without a code": ({"error": {"message": "m", "type": "t", "code": None}}, ErrorBody(("t",), "m")),
    "vLLM's older one": (
        {"object": "error", "message": "m", "type": "BadRequestError", "param": None, "code": 400},
        ErrorBody(("BadRequestError",), "m", None, 400),
    ),
    "Anthropic's": (
        {"type": "error", "error": {"type": "invalid_request_error", "message": "m", "details": {"error_code": "exact"}}},
        ErrorBody(("exact", "invalid_request_error"), "m"),
    ),
    "an event that carries an error": (
        {"type": "response.failed", "status": "failed", "error": {"message": "m", "type": "new", "code": None}},
        ErrorBody(("new",), "m"),
    ),
    "Google's in a list": (
        [{"error": {"code": 400, "message": "m", "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}],
        ErrorBody(("API_KEY_INVALID", "INVALID_ARGUMENT"), "m", None, 400),
    ),
    "Cohere's": ({"id": "x", "message": "m"}, ErrorBody(text="m")),
    "xAI's": (
        {"code": "Client specified an invalid argument", "error": "m"},
        ErrorBody(("Client specified an invalid argument",), "m"),
    ),
    "FastAPI's": (
        {"detail": [{"loc": ["body", "messages", 0, "role"], "msg": "m", "type": "extra_forbidden"}]},
        ErrorBody(("extra_forbidden",), "m", "messages.0.role"),
    ),
    "a detail": ({"detail": "m"}, ErrorBody(text="m")),
    "several": ({"errors": [{"message": "a"}, {"message": "b"}]}, ErrorBody(text="a\nb")),
    "a status in words": ({"error": {"message": "m", "http_status_code": "422"}}, ErrorBody((), "m", None, 422)),
    "empty": ({}, ErrorBody()),
    "nothing": (None, ErrorBody()),
    "a number": (7, ErrorBody()),
    "strange types": ({"error": {"message": {"a": [1]}, "type": 7, "code": [], "param": {}}}, ErrorBody()),
}


@pytest.mark.parametrize("name", SHAPES)
def test_read_error_finds_code_text_parameter_and_status(name: str) -> None:
    body, expected = SHAPES[name]
    assert read_error(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": json.dumps(INNER)}},
        {"error": {"message": f"400: {json.dumps(INNER)}"}},
        {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": json.dumps(INNER)}}},
        f"upstream said {json.dumps(INNER)}",
        {"message": {"detail": json.dumps(INNER)}},
    ],
)
def test_read_error_of_json_in_a_text_finds_the_inner_code(body: Any) -> None:
    found = read_error(body)
    assert found.codes[0] == "context_length_exceeded"
    assert "inner" in found.text.split("\n")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["error", "message", "code", "detail", "type", "x"]), inner),
)


@settings(deadline=None)
@given(anything, st.sampled_from([400, 404, 413, 422, 500]))
def test_read_error_of_anything_is_bounded_and_can_be_looked_up(body: Any, status: int) -> None:
    found = read_error(body)
    assert len(found.text) <= LONGEST_TEXT
    assert all(isinstance(code, str) and code for code in found.codes)
    find_mapping(status, None, found, COMMON)


@pytest.mark.parametrize("text", ["model " * 100_000, "context " * 100_000, "{" * 100_000, '{"' * 100_000, "a" * 1_000_000])
def test_find_mapping_of_a_long_text_ends(text: str) -> None:
    for _ in range(20):
        found = read_error({"error": {"message": text}})
        assert find_mapping(400, None, found, COMMON) is None


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("text/html; charset=utf-8", b"anything", True),
        ("application/json", b"  <!DOCTYPE HTML><html>", True),
        ("", b"<html>", True),
        ("application/octet-stream", b'<?xml version="1.0"?><Error/>', True),
        ("text/html", b'{"error": "m"}', False),
        ("application/json", b'{"error": "<html>"}', False),
        ("text/plain", b"Not Found", False),
        ("", b"", False),
    ],
)
def test_is_page_of_a_body(content_type: str, body: bytes, expected: bool) -> None:
    assert is_page(content_type, body) is expected


def said(text: str, status: int = 400, *rows: ErrorMapping) -> FailureClass | None:
    found = find_mapping(status, None, read_error({"error": {"message": text}}), (*rows, *COMMON))
    return found.failure if found else None


@pytest.mark.parametrize(
    "text",
    [
        "Missing required parameter: 'messages'",
        "Invalid 'messages[0].content': expected a string, got an object",
        "The model called the tool 'x', which was not found in tools",
        "Could not parse the JSON body of your request",
        "messages: at least one message is required",
        "temperature must be between 0 and 2",
        "Previous response with id 'resp_1' not found",
    ],
)
def test_find_mapping_ignores_words_about_the_request(text: str) -> None:
    assert said(text) is None


def test_find_mapping_prefers_codes_and_own_rows() -> None:
    own = error_mapping(FailureClass.QUOTA, "context_length_exceeded", words="decommissioned", statuses=ANY_STATUS)
    coded = read_error({"error": {"message": "the model has been decommissioned", "code": "context_length_exceeded"}})
    assert find_mapping(400, None, coded, COMMON).failure is FailureClass.CAPABILITY  # type: ignore[union-attr]
    assert find_mapping(400, None, coded, (own, *COMMON)) is own
    assert said("the model has been decommissioned", 400, own) is FailureClass.QUOTA


@pytest.mark.parametrize(
    "text", ["DOES NOT SUPPORT TOOLS", "`m` doesn’t support \n tools", 'registry/"m" does  not support tools']
)
def test_find_mapping_of_words_ignores_case_quotes_and_spaces(text: str) -> None:
    assert said(text) is FailureClass.CAPABILITY


KEYWORD_PATTERNS = [(row.keywords, word) for row in COMMON if row.keywords for word in row.words]
ascii_only = st.characters(max_codepoint=127)


@settings(deadline=None)
@given(st.data())
def test_keywords_of_common_rows_are_in_every_text_that_a_pattern_matches(data: st.DataObject) -> None:
    keywords, word = data.draw(st.sampled_from(KEYWORD_PATTERNS))
    text = data.draw(st.from_regex(re.compile(word, re.IGNORECASE), fullmatch=True, alphabet=ascii_only))
    assert any(keyword in text.lower() for keyword in keywords)


def test_find_mapping_searches_patterns_of_a_row_only_in_texts_with_a_keyword() -> None:
    row = error_mapping(FailureClass.QUOTA, words="plan (is )?full", keywords=["full"], statuses={400})
    assert said("Your plan is FULL", 400, row) is FailureClass.QUOTA
    assert said("your plan is over", 400, row) is None
    assert said("fa\u0131led to generate json") is FailureClass.CAPABILITY  # a letter that lower() keeps matches i


@pytest.mark.parametrize("status", [400, 429, 500])
def test_error_response_reads_its_body_once(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Any] = []
    plain_read = error_bodies._read
    monkeypatch.setattr(error_bodies, "_read", lambda body: read.append(body) or plain_read(body))
    provider = BaseProvider(base_url="http://127.0.0.1:9", api_key="test")
    made = provider._map_error_response(status, {}, b'{"error": {"message": "m", "code": "unsupported_value", "param": "tools"}}')
    assert (made.status, made.code, made.reason) == (status, "unsupported_value", "m")
    assert len(read) == 1


def test_reading_once_reads_other_bodies_and_ends_with_its_context() -> None:
    body = {"message": "before"}
    with reading_once(body):
        assert read_error(body) is read_error(body)
        with reading_once({"message": "inner"}):
            assert read_error(body).text == "before"
        assert read_error({"message": "other"}).text == "other"
    body["message"] = "after"
    assert read_error(body).text == "after"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"message": "x", "code": "unsupported_parameter", "param": "seed"}, "seed"),
        ({"message": "x", "code": "unsupported_value", "param": "messages[0].role"}, None),
        ({"message": "Model m does not support parameter presencePenalty."}, "presence_penalty"),
        ({"message": "gemma3 does not support tools"}, "tools"),
        ({"message": "maximum context length is 4096 tokens", "param": "messages"}, None),
    ],
)
def test_unsupported_parameter_is_named_as_callers_name_it(error: dict[str, Any], expected: str | None) -> None:
    found = read_error({"error": error})
    row = find_mapping(400, None, found, COMMON)
    assert row is not None
    assert find_unsupported_parameter(row, found) == expected

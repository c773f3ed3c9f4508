"""Base URLs end with one version, however they were written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh_cdk.wire.urls import join_api_root


@pytest.mark.parametrize(
    ("written", "root"),
    [
        ("https://api.example.com", "https://api.example.com/v1"),
        ("https://api.example.com/", "https://api.example.com/v1"),
        ("https://api.example.com/v1", "https://api.example.com/v1"),
        (" https://api.example.com/v1/// ", "https://api.example.com/v1"),
        ("https://api.example.com/openai", "https://api.example.com/openai/v1"),
        ("https://api.example.com/openai/v1", "https://api.example.com/openai/v1"),
        ("https://api.example.com/v1beta/openai/", "https://api.example.com/v1beta/openai"),
        ("https://api.example.com/v2", "https://api.example.com/v2"),
        ("https://api.example.com/v10alpha1", "https://api.example.com/v10alpha1"),
        ("https://v1.example.com", "https://v1.example.com/v1"),
        ("https://api.example.com/serv1ce", "https://api.example.com/serv1ce/v1"),
        ("https://api.example.com/models-v2", "https://api.example.com/models-v2/v1"),
        ("http://[::1]:8080", "http://[::1]:8080/v1"),
        ("http://127.0.0.1:1/x", "http://127.0.0.1:1/x/v1"),
        ("https://bücher.example", "https://bücher.example/v1"),
        ("https://api.example.com./v1", "https://api.example.com./v1"),
        (f"https://{'a' * 63}.example", f"https://{'a' * 63}.example/v1"),
    ],
)
def test_join_api_root_adds_version_once(written: str, root: str) -> None:
    assert join_api_root(written) == root
    assert join_api_root(root) == root


def test_join_api_root_keeps_version_of_url() -> None:
    assert join_api_root("http://x", "/v2") == "http://x/v2"
    assert join_api_root("http://x/v1", "/v2") == "http://x/v1"
    assert join_api_root("http://x/", "") == "http://x"


@pytest.mark.parametrize(
    "written",
    ["", "localhost", "localhost:8080", "api.example.com/v1", "ftp://x", "file:///etc", "http://", "http:///v1", "http://:80", "http://x:abc", "http://x:99999", "http://[::1", "http://x/v1?key=a", "http://x/v1#part",
     "http://user:pass@127.0.0.1:1/x", "http://user@x", "http://:pw@x", "http://x:0", "http://x:-1", "http://a\rb", "http://a\nb/v1",
     "http://a\0b", "http://a/\0", "http://a\tb", "http://a\ud800b", "http://a/\udfff", f"http://{'a' * 64}.example", "http://a..b",
     f"http://{'a.' * 127}b", f"http://{'ü' * 60}.example", "http://a b", "http://a/b c", "http://a%20b", "http://a,b", "http://.x"],
)  # fmt: skip
def test_join_api_root_error_has_an_example(written: str) -> None:
    with pytest.raises(ValueError, match=r"write one like 'https://api.example.com/v1'"):
        join_api_root(written)


@given(st.text(max_size=30), st.sampled_from(["", "http://", "https://h/"]))
def test_join_api_root_of_any_text_is_stable_or_raises(text: str, start: str) -> None:
    try:
        root = join_api_root(start + text)
    except ValueError as error:
        assert "write one like" in str(error)
    else:
        assert join_api_root(root) == root
        assert not root.endswith("/")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("ftp://me:test-word@example.com/v1", "'ftp://…@example.com/v1'"),
        ("me:test-word@example.com", "'…@example.com'"),
        ("https://example.com/v1?key=test-word", "'https://example.com/v1?…'"),
        ("https://me:test-word@example.com:port", "'https://…@example.com:port'"),
        ("https://example.com/v1#test-word", "'https://example.com/v1#…'"),
    ],
)
def test_join_api_root_error_has_no_secrets(written: str, shown: str) -> None:
    with pytest.raises(ValueError, match="HTTP address|a query") as caught:
        join_api_root(written)
    assert str(caught.value).startswith(shown)
    assert "test-word" not in str(caught.value)

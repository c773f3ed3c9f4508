"""Names of packages and the errors of invalid names."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh.contracts import ConnectorId, Kind
from modelmesh_cdk.scaffold import names
from modelmesh_cdk.scaffold.errors import BadNameError
from modelmesh_cdk.scaffold.package import plan
from modelmesh_cdk.scaffold.rendering import templates

DAY = date(2026, 11, 21)


@pytest.mark.parametrize("name", ["a", "acme", "acme-cloud", "a1", "a" * names.LONGEST])
def test_name_valid_is_accepted(name: str) -> None:
    assert names.check_name(name) == name


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Acme", "acme"),
        ("AcmeCloud", "acme-cloud"),
        ("acme_cloud", "acme-cloud"),
        ("acme--cloud-", "acme-cloud"),
        ("01.ai", "ai"),
        ("acme/../x", "acme-x"),
        ("a" * (names.LONGEST + 1), "a" * names.LONGEST),
        ("acme\n", "acme"),
        ("", None),
        ("1", None),
        ("ü", None),
    ],
)
def test_invalid_name_error_suggests_a_name(name: str, near: str | None) -> None:
    with pytest.raises(BadNameError) as caught:
        names.check_name(name)
    assert "lower-case letters and digits" in str(caught.value)
    tried = re.search(r"Try: (\S+)$", str(caught.value))
    assert (tried[1] if tried else None) == near
    if near:
        assert names.check_name(near) == near


@given(st.text(max_size=60))
def test_suggested_name_is_valid(name: str) -> None:
    try:
        assert ConnectorId.parse(f"{names.check_name(name)}.llm.v1")
    except BadNameError as error:
        tried = re.search(r"Try: (\S+)$", error.message)
        if tried:
            assert names.check_name(tried[1])


@pytest.mark.parametrize(
    "address",
    ["https://api.acme.example/v1", "http://127.0.0.1:8000", "http://[::1]:80/v1/", "https://x/", "https://x/v1beta/openai"],
)
def test_base_url_valid_is_accepted(address: str) -> None:
    assert names.check_base_url(address) == address.rstrip("/")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "acme.example",
        "ftp://acme.example",
        "https://",
        "https://user:test@acme.example",
        "https://acme.example?key=test",
        "https://acme.example#x",
        'https://acme.example/"',
        "https://acme.example/\n",
        "https://acme.example/a b",
        "http://[::1",
        "http://acme.example:x",
        "http://acme.example:99999",
    ],
)
def test_base_url_invalid_raises(address: str) -> None:
    with pytest.raises(BadNameError, match="not the URL of an API") as caught:
        names.check_base_url(address)
    assert caught.value.field == "base_url"


def test_base_url_path_without_version_raises() -> None:
    with pytest.raises(BadNameError, match=r"e\.g\. https://acme\.example/openai/v1,.*_resolve_api_root"):
        names.check_base_url("https://acme.example/openai/")


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"connector_id": "Acme"}, "id", "vN"),
        ({"connector_id": "openai.llm.v1"}, "id", "modelmesh-connector-openai"),
        ({"connector_id": 'acme.x.v1"'}, "id", "vN"),
        ({"variable": "1KEY"}, "variable", "ACME_API_KEY"),
        ({"variable": "A-KEY"}, "variable", "ACME_API_KEY"),
        ({"license_expression": 'MIT"'}, "license", "SPDX"),
        ({"license_expression": ""}, "license", "SPDX"),
        ({"base_url": "acme"}, "base_url", "https://api.acme.example/v1"),
    ],
)
def test_invalid_field_error_explains_the_field(wrong: dict[str, str], field: str, words: str) -> None:
    with pytest.raises(BadNameError) as caught:
        plan(templates()["provider"], "acme", today=DAY, **wrong)  # type: ignore[arg-type]
    assert caught.value.field == field
    assert words in str(caught.value)


@pytest.mark.parametrize(("kind", "name"), [("provider", "openai"), ("strategy", "cost-first"), ("secret-store", "dotenv")])
def test_name_of_published_package_raises(kind: str, name: str) -> None:
    with pytest.raises(BadNameError, match=f"pip install modelmesh-[a-z-]+-{name}"):
        plan(templates()[kind], name, today=DAY)


def test_id_of_published_strategy_raises() -> None:
    with pytest.raises(BadNameError, match="modelmesh-strategy-round-robin"):
        names.check_id("modelmesh.round-robin.v1", Kind.STRATEGY)

"""JSON, read by msgspec where it is there and by the standard library where it is not: the same answers, the same refusals."""

from __future__ import annotations

import json
import math
import sys
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh_cdk.wire import json_codec


@dataclass
class Plain:
    value: int


@pytest.fixture(params=["standard library", "msgspec"])
def codec(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    if request.param == "msgspec":
        pytest.importorskip("msgspec")
        monkeypatch.setattr(json_codec, "_fast_decode", json_codec._load())
        assert json_codec._fast_decode is not json_codec._decode
        monkeypatch.setattr(json_codec, "_fast_encode", json_codec._load_encoder())
        assert json_codec._fast_encode is not None
    else:
        monkeypatch.setitem(sys.modules, "msgspec", None)
        monkeypatch.setattr(json_codec, "_fast_decode", json_codec._load())
        assert json_codec._fast_decode is json_codec._decode
        monkeypatch.setattr(json_codec, "_fast_encode", json_codec._load_encoder())
        assert json_codec._fast_encode is None
    return json_codec


@pytest.mark.parametrize(
    "raw",
    [
        b"", b" ", b"{", b'{"a":1', b"{'a': 1}", b"[1,]", b"nul", b"{} {}", b"NaN", b"[Infinity]", b'{"a": -Infinity}', b"1e999", b"-1e999",
        b"\xff", b'"\xff"', b'"\xed\xa0\x80"', b'"\\ud800"', b'{"\\udc00": 1}', b'["\\\\", "\\ud800x"]', b"[" * 100_000, b'{"a":' * 100_000, b"[" * 50_000 + b"]" * 50_000,
    ],
)  # fmt: skip
def test_decode_rejects_invalid_json(raw: bytes, codec: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are those of either library
        codec.decode(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [(b'{"a": [1, 2.5, null, true, "x"]}', {"a": [1, 2.5, None, True, "x"]}), (b' "\\ud83d\\ude00\\u00e9" ', "😀é"), (b'"\\\\ud800"', "\\ud800"), (b'{"a":1,"a":2}', {"a": 2}), (b"12345678901234567", 12345678901234567)],
)  # fmt: skip
def test_decode_accepts_valid_json(raw: bytes, value: Any, codec: Any) -> None:
    assert codec.decode(raw) == value


@pytest.mark.parametrize("value", [math.nan, math.inf, {"a": [-math.inf]}, "\ud800"])
def test_encode_rejects_values_outside_json(value: Any, codec: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of the standard library
        codec.encode(value)


def test_encode_rejects_deep_nesting(codec: Any) -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ValueError, match="nested too deep"):
        codec.encode(value)


@pytest.mark.parametrize(
    "value", [[math.nan] * 40, {"a": [{"b": None}, math.nan], "c": "null"}, (1, (2.5, math.inf)), {"a": [1] * 40, "b": -math.inf}]
)
def test_encode_error_is_that_of_the_standard_library(value: Any, codec: Any) -> None:
    with pytest.raises(ValueError, match="Out of range float values are not JSON compliant"):
        codec.encode(value)


@pytest.mark.parametrize(
    "value",
    [
        {1, 2},
        b"x",
        object(),
        {"a": json},
        date(2026, 1, 1),
        [Decimal(1)],
        {"a": [{"b": b"x"}]},
        [b"x"] * 40,
        uuid.UUID(int=1),
        Plain(1),
        {date(2026, 1, 1): 1},
    ],
)
def test_encode_rejects_unknown_types(value: Any, codec: Any) -> None:
    with pytest.raises(TypeError):
        codec.encode(value)


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        {1: 2, None: 3},
        {True: 4},
        [10**30],
        Text("x"),
        {"a": [Text("é")] * 40},
        {"a": {"b": (1, 2.5, -0.0)}},
        [OrderedDict(a=[None])],
    ],
)
def test_encode_accepts_what_the_standard_library_accepts(value: Any, codec: Any) -> None:
    assert json.loads(codec.encode(value)) == json.loads(json.dumps(value))


def test_encode_rejects_a_cycle(codec: Any) -> None:
    value: list[Any] = []
    value.append({"a": value})
    with pytest.raises(ValueError):  # noqa: PT011 - a circular reference, or nested too deep
        codec.encode(value)


def test_encode_writes_compact_utf_8(codec: Any) -> None:
    assert codec.encode({"a": ["é", 1, None]}) == '{"a":["é",1,null]}'.encode()


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), st.text(st.characters(exclude_categories=["Cs"]))),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)),
    max_leaves=15,
)  # fmt: skip


@given(JSON)
def test_codecs_round_trip_any_value(value: Any) -> None:
    raw = json_codec.encode(value)
    assert json_codec._decode(raw) == json_codec._load()(raw) == value


@given(st.one_of(st.binary(max_size=60), st.text('{}[]":,\\ud8c0 1e-', max_size=40).map(str.encode)))
def test_codecs_agree_on_any_bytes(raw: bytes) -> None:
    found = []
    for read in (json_codec._decode, json_codec._load()):
        try:
            found.append(read(raw))
        except (ValueError, RecursionError):
            found.append("refused")
    assert found[0] == found[1]

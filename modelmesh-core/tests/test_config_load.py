"""Configuration files: YAML 1.2 scalars, anchors, positions, and JSON semantics."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh import MeshConfig
from modelmesh._engine.config.load import MAX_BYTES, load_text
from modelmesh._engine.config.yaml_builder import MAX_NODES
from modelmesh.errors import ConfigurationError


def read(text: str, name: str = "m.yaml") -> Any:
    return load_text(text, name)[0]


SCALARS: dict[str, Any] = {
    "": None, "~": None, "null": None, "NULL": None, "true": True, "False": False, "TRUE": True,
    "no": "no", "yes": "yes", "on": "on", "off": "off", "y": "y", "nULL": "nULL",
    "0": 0, "-7": -7, "+7": 7, "007": 7, "0o17": 15, "0x1F": 31, "0b11": "0b11", "1_000": "1_000", "12:30:45": "12:30:45",
    "1.5": 1.5, "1.": 1.0, ".5": 0.5, "1e3": 1000.0, "-1.5E-3": -0.0015, ".inf": math.inf, "-.INF": -math.inf,
    "500ms": "500ms", "2026-11-21": "2026-11-21", "gpt-4o": "gpt-4o", "v1.2.3": "v1.2.3",
    "'5'": "5", '"true"': "true", "'null'": "null", "!!str 5": "5", '"a\\tb"': "a\tb", '"\\ud83d\\ude00"': "😀",
    "${secrets:KEY}": "${secrets:KEY}", "|\n  a\n  b": "a\nb\n", ">-\n  a\n  b": "a b",
}  # fmt: skip


@pytest.mark.parametrize("written", SCALARS)
def test_load_text_scalars_are_yaml_1_2(written: str) -> None:
    found = read(f"a: {written}\n")["a"]
    assert found == SCALARS[written]
    assert type(found) is type(SCALARS[written])


def test_load_text_reads_nan() -> None:
    assert math.isnan(read("a: .nan\n")["a"])


def test_load_text_keys_are_strings() -> None:
    assert read("1: a\ntrue: b\nnull: c\n2.5: d\n'on': e\n") == {"1": "a", "true": "b", "null": "c", "2.5": "d", "on": "e"}


def test_load_text_expands_anchors_and_merge_keys() -> None:
    text = """
    base: &base {a: 1, b: 2, deep: {x: 1}}
    more: &more {b: 3, c: 4}
    one: {<<: *base, a: 9}
    two:
      <<: [*more, *base]
      d: 5
    late: {a: 0, <<: *base}
    list: [*base, &s word, *s]
    """
    found = read(text)
    assert found["one"] == {"a": 9, "b": 2, "deep": {"x": 1}}
    assert found["two"] == {"a": 1, "b": 3, "c": 4, "d": 5, "deep": {"x": 1}}
    assert found["late"]["a"] == 0
    assert found["list"] == [{"a": 1, "b": 2, "deep": {"x": 1}}, "word", "word"]


def test_load_text_quoted_merge_key_is_a_key() -> None:
    assert read("'<<': {a: 1}\n") == {"<<": {"a": 1}}
    assert read('{"<<": {"a": 1}}', "m.json") == {"<<": {"a": 1}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: {<<: 5}\n", r"m\.yaml:2:9: '<<' merges maps"),
        ("a: 1\nb: *missing\n", r"m\.yaml:2:4: the alias \*missing has no anchor"),
        ("? [a, b]\n: 1\n", "a key must be a name"),
        ("a: 1\na: 2\n", r"m\.yaml:2:1: the key 'a' occurs twice"),
        ("a: !secret x\n", "the tag '!secret' is not allowed"),
        ("x: &a [1]\ny:\n" + "  - *a\n" * MAX_NODES, "with aliases expanded"),
    ],
)
def test_load_text_error_states_position(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        read(text)


def test_source_map_has_every_key_and_item() -> None:
    text = "providers:\n  a:\n    config: {api_key: x}\n    models:\n      - m1\n      - id: m2\n        capabilities: [chat]\n"
    source_map = load_text(text, "m.yaml")[1]
    wanted = {
        ("providers",): (1, 1),
        ("providers", "a"): (2, 3),
        ("providers", "a", "config"): (3, 5),
        ("providers", "a", "config", "api_key"): (3, 14),
        ("providers", "a", "models", 0): (5, 9),
        ("providers", "a", "models", 1): (6, 9),
        ("providers", "a", "models", 1, "id"): (6, 9),
        ("providers", "a", "models", 1, "capabilities"): (7, 9),
        ("providers", "a", "models", 1, "capabilities", 0): (7, 24),
    }
    assert {path: source_map.positions[path] for path in wanted} == wanted
    assert source_map.where(("providers", "a", "models", 1, "nope")) == "m.yaml:6:9: providers.a.models[1].nope"
    assert source_map.where(()) == "m.yaml:1:1"


def test_source_map_finds_list_entry_by_its_key(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(
        "providers:\n  - name: a\n    timeout: soon\nmodels:\n  - id: x\n    provder: a\npools:\n  - name: chat\n    nope: 1\n"
    )
    messages = MeshConfig.from_file(str(path)).validate()
    assert [message.partition(": ")[0].removeprefix(str(path)) for message in messages] == [":3:5", ":5:5", ":6:5", ":9:5"]


def test_load_json_accepts_tabs_escapes_and_bom(tmp_path: Path) -> None:
    text = '\ufeff{\n\t"a": {"b": "\\ud83d\\ude00 \\u00e9 \\/ \\t \\n"},\n\t"c": [1, -2.5e3, true, false, null, {}],\r\n\t"d": "x"\n}\n'
    path = tmp_path / "m.json"
    path.write_text(text, "utf-8", newline="")
    config = MeshConfig.from_file(str(path))
    assert config.raw == json.loads(text.removeprefix("\ufeff"))
    assert config.source_map.where(("c",)) == f"{path}:3:2: c"


def test_load_json_replaces_lone_surrogate() -> None:
    read('{"a": "\\ud800"}', "m.json")["a"].encode()


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
)  # fmt: skip
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
OBJECTS = st.dictionaries(
    KEYS,
    st.recursive(
        LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)), max_leaves=12
    ),
    max_size=5,
)


@given(OBJECTS, st.sampled_from([None, 2, "\t"]), st.booleans())
def test_load_json_equals_json_module(value: dict[str, Any], indent: Any, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    found, source_map = load_text(text, "m.json")
    assert found == value
    assert json.dumps(found) == json.dumps(value)  # 1 is not 1.0 is not true, and the order is kept
    assert {(key,) for key in value} <= set(source_map.positions)


@given(st.text(max_size=200))
def test_load_text_returns_data_or_one_typed_error(text: str) -> None:
    for name in ("m.yaml", "m.json"):
        try:
            read(text, name)
        except ConfigurationError as error:
            assert str(error).startswith(name)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\xff\xfea", "is not UTF-8"), (b"#" * (MAX_BYTES + 1), "larger than .* bytes"), (None, "cannot be read")],
)
def test_load_file_unreadable_raises(content: bytes | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=words) as caught:
        MeshConfig.from_file(str(path))
    assert caught.value.where == str(path)


def test_from_file_empty_is_empty_configuration(tmp_path: Path) -> None:
    for name in ("m.yaml", "m.json"):
        (tmp_path / name).write_text("")
        assert MeshConfig.from_file(str(tmp_path / name)).raw == {}

"""JSON whose objects would fill the memory is refused before it is decoded; JSON that is long only is not."""

from __future__ import annotations

import json

import pytest

from modelmesh._engine.foundation.json_memory import exceeds_memory
from modelmesh_cdk.wire import json_codec
from modelmesh_cdk.wire.limits import TooLargeError

MANY = 2_000_000


@pytest.mark.parametrize(
    "part",
    [b"[]", b"{}", b'{"a":1}', b"[[]]", b'"ab"', b"1.5", b'{"a":{}}', b"[1]", b"-1000"],
)
def test_json_of_many_small_parts_raises(part: bytes) -> None:
    with pytest.raises(TooLargeError, match="small parts"):
        json_codec.decode(b"[" + (part + b",") * (24_000_000 // (len(part) + 1)) + b"1]")


@pytest.mark.parametrize("text", ["a" * 8_000_000, "[{," * MANY, '"\\' * 1_000_000, "a,b\n" * MANY])
def test_long_text_is_decoded(text: str) -> None:
    assert json_codec.decode(json.dumps({"a": text}).encode())["a"] == text


def test_log_probabilities_of_long_response_are_decoded() -> None:
    likely = [{"token": " word", "logprob": -0.1234567, "bytes": [32, 119, 111, 114, 100]}] * 20
    body = {"logprobs": {"content": [{"token": "a", "logprob": -1.5, "bytes": [97], "top_logprobs": likely}] * 4096}}
    raw = json.dumps(body, separators=(",", ":")).encode()
    assert json_codec.decode(raw, numbers=True) == body


def test_vectors_are_decoded() -> None:
    rows = [{"index": place, "embedding": [round(place / 7, 3)] * 1536} for place in range(1000)]
    assert json_codec.decode(json.dumps({"data": rows}, separators=(",", ":")).encode(), numbers=True)["data"] == rows


@pytest.mark.parametrize("body", [b'"' + b'\\"' * 4_000_000, b"[" * 8_000_000, b'["' * 4_000_000, b'\\"' * 4_000_000])
def test_unterminated_text_is_scanned_once(body: bytes) -> None:
    exceeds_memory(b"[" + b"{,[" * 1_000_000 + body)  # quadratic time would end this run


@pytest.mark.parametrize(("count", "refused"), [(800_000, True), (50_000, False)])
def test_different_names_of_one_map_count(count: int, refused: bool) -> None:
    data = b'{"a":{' + b",".join(b'"%x":0' % place for place in range(count)) + b"}}"
    assert exceeds_memory(data) is refused

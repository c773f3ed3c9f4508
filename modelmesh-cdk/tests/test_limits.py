"""What a vendor may send: encodings, bombs, cuts."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh_cdk.wire.limits import FREE, MAX_BODY, Body, Inflater, TooLargeError


def raw_deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return engine.compress(data) + engine.flush()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    " GZip ": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": raw_deflate,  # what some servers call deflate
    "identity": bytes,
    "": bytes,
}


def read(encoding: str | None, *pieces: bytes) -> bytes:
    body = Body(encoding)
    for piece in pieces:
        body.feed(piece)
    return body.end()


@given(st.sampled_from(sorted(PACKED)), st.binary(max_size=2000), st.integers(1, 50))
def test_decompression_is_independent_of_splits(encoding: str, data: bytes, size: int) -> None:
    packed = PACKED[encoding](data)
    pieces = [packed[place : place + size] for place in range(0, len(packed), size)]
    assert read(encoding, *pieces) == data
    assert read(encoding, packed) == data


def test_identity_encoding_returns_data_unchanged() -> None:
    assert read(None, b"a", b"", b"b") == b"ab"
    assert read(None) == b""
    assert read("gzip") == b""  # no body at all is not a cut one


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, deflate", "compress", "x" * 200])
def test_unrequested_encoding_raises(encoding: str) -> None:
    with pytest.raises(ValueError, match="was not offered") as caught:
        Body(encoding)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_decompression_bomb_raises_early(encoding: str) -> None:
    bomb = PACKED[encoding](b"\0" * 200_000_000)
    made = 0
    with pytest.raises(TooLargeError, match="unpacks to more than 100 times its size"):
        for piece in Inflater(encoding).feed(bomb):
            made += len(piece)
    assert made <= 100 * len(bomb)


def test_small_decompression_bomb_raises_at_limit() -> None:
    made = 0
    with pytest.raises(TooLargeError):
        for piece in Inflater("gzip").feed(gzip.compress(b"\0" * 1_000_000)):
            made += len(piece)
    assert made <= FREE


def test_small_response_may_have_high_ratio() -> None:
    assert read("gzip", gzip.compress(b" " * (FREE - 1))) == b" " * (FREE - 1)


def test_body_above_limit_raises() -> None:
    body = Body(None)
    body.feed(b"x" * MAX_BODY)
    with pytest.raises(TooLargeError, match="longer than 32 MiB"):
        body.feed(b"x")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_truncated_data_raises(encoding: str) -> None:
    packed = PACKED[encoding](b"hello world" * 20)
    for length in range(1, len(packed)):
        with pytest.raises(ValueError, match="ends too early"):
            read(encoding, packed[:length])


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_corrupt_data_raises(encoding: str) -> None:
    packed = bytearray(PACKED[encoding](bytes(range(256)) * 4))
    packed[-1] ^= 0xFF  # the checksum
    with pytest.raises(ValueError, match="damaged compressed data"):
        read(encoding, bytes(packed))
    with pytest.raises(ValueError, match=r"damaged compressed data|ends too early"):
        read(encoding, b"{}" * 10)


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=4), st.integers(1, 20))
def test_gzip_body_with_several_members_is_decoded(parts: list[bytes], size: int) -> None:
    packed = b"".join(map(gzip.compress, parts)) + b"\0" * 5
    assert read("gzip", *(packed[place : place + size] for place in range(0, len(packed), size))) == b"".join(parts)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_data_after_compressed_end_raises(encoding: str) -> None:
    with pytest.raises(ValueError, match="damaged"):
        read(encoding, PACKED[encoding](b"a") + b"garbage")

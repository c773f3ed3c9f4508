"""Request heads: no value of a caller can end the head early, and errors show no value."""

from __future__ import annotations

import httpx2
import pytest

from modelmesh.contracts import FailureClass
from modelmesh_cdk.transport.http1.request_head import parse_url, request_head
from modelmesh_cdk.transport.interfaces import TransportError

ADDRESS = parse_url("https://vendor.test/v1/chat")


def head(*headers: tuple[str, str], method: str = "POST", length: int = 2) -> bytes:
    return request_head(method, ADDRESS, headers, length)


def test_head_of_a_request() -> None:
    assert head(("Authorization", "Bearer sk-test"), ("Accept", "*/*")) == (
        b"POST /v1/chat HTTP/1.1\r\nHost: vendor.test\r\nAuthorization: Bearer sk-test\r\nAccept: */*\r\nContent-Length: 2\r\n\r\n"
    )


@pytest.mark.parametrize(("method", "length", "expected"), [("GET", 0, False), ("POST", 0, True), ("GET", 2, True)])
def test_length_of_the_body(method: str, length: int, expected: bool) -> None:
    assert (b"Content-Length: %d\r\n" % length in head(method=method, length=length)) is expected


def test_value_in_latin_1() -> None:
    assert b"X-Name: caf\xe9\r\n" in head(("X-Name", "café"))


@pytest.mark.parametrize(
    "value",
    [
        "sk-test\n",
        "sk-test\r\nEvil: 1",
        "sk-test\r\n\r\nGET / HTTP/1.1",
        "sk\x00test",
        " sk-test",
        "sk-test ",
        "sk-test\t",
        "sk\x0btest",
        "sk-тест",
        "sk-\ud800",
    ],
)
def test_illegal_value_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(TransportError) as caught:
        head(("X-Key", value))
    assert str(caught.value) == "LocalProtocolError: Illegal header value"
    assert caught.value.failure is FailureClass.CONNECT


@pytest.mark.parametrize("name", ["", "X Key", "X-Key:", "X-Key\r\nEvil", "X-Key\n", "é", "X\x00"])
def test_illegal_name_is_refused(name: str) -> None:
    with pytest.raises(TransportError, match="LocalProtocolError: Illegal header name"):
        head((name, "1"))


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "TRANSFER-ENCODING"])
def test_second_framing_header_is_refused(name: str) -> None:
    with pytest.raises(TransportError, match="LocalProtocolError"):
        head((name, "1"))


@pytest.mark.parametrize("method", ["", "PO ST", "POST\r\n", "POST / HTTP/1.1\r\nHost: evil\r\n\r\nGET"])
def test_illegal_method_is_refused(method: str) -> None:
    with pytest.raises(TransportError, match="LocalProtocolError: Illegal method"):
        head(method=method)


URLS = [
    "https://vendor.test/v1/chat/completions",
    "http://127.0.0.1:8080/v1",
    "http://[::1]:8080/v1?key=1&b=%2F",
    "https://vendor.test",
    "https://vendor.test:443/v1",
    "http://vendor.test:80/",
    "https://Vendor.TEST/V1",
    "https://vendor.test/v1/models/a b:generate?alt=sse",
    "https://vendor.test/v1/../v2/./models",
    "https://vendor.test/é?q=é",
    "https://münchen.test/v1",
    "https://user:password@vendor.test/v1",
    "https://vendor.test/v1#part",
    "https://vendor.test/a%zz?b='c'",
    "https://vendor.test/models/%F0%9F%98%80",
    "https://vendor.test?x=1",
    "https://vendor_name.test./v1",
]


@pytest.mark.parametrize("url", URLS)
def test_url_has_the_parts_that_httpx2_finds(url: str) -> None:
    address, other = parse_url(url), httpx2.URL(url)
    assert (address.scheme, address.host, address.authority.encode(), address.target.encode()) == (
        other.scheme,
        other.raw_host.decode(),
        other.netloc,
        other.raw_path,
    )
    assert address.port == (other.port or {"http": 80, "https": 443}[other.scheme])


@pytest.mark.parametrize("url", ["", "vendor.test", "ftp://vendor.test/", "https://", "https:///v1", "http://vendor.test:99999/"])
def test_invalid_url_is_a_connect_failure(url: str) -> None:
    with pytest.raises(TransportError) as caught:
        parse_url(url)
    assert caught.value.failure is FailureClass.CONNECT


@pytest.mark.parametrize(
    "url", ["http://vendor.test/\r\nEvil: 1", "http://vendor.test\r\nEvil: 1/", "http://vendor.test/ HTTP/1.1\r\n"]
)
def test_line_break_in_a_url_reaches_no_head(url: str) -> None:
    try:
        address = parse_url(url)
    except TransportError:
        return
    sent = request_head("POST", address, [], 0)
    assert sent.count(b"\r\n") == 4
    assert b"\r\nEvil" not in sent

"""Tests of requests other than chat completions and embeddings: method, address, headers and body by the operation's row."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.policy import HTTP
from typing import Any

import pytest

from modelmesh.contracts import OPERATIONS
from modelmesh.contracts.call import Call, CallOptions, Limits
from modelmesh.contracts.files import FileUpload
from modelmesh.errors import BadRequestError, ProviderError
from modelmesh_cdk import OpenAICompatibleProvider, OperationCodec
from modelmesh_cdk.testing import Script, Upstream
from modelmesh_cdk.wire.request import WireRequest

JSON = "application/json"
Ask = Callable[..., Any]


class Acme(OpenAICompatibleProvider):
    id = "acme.media.v1"
    default_base_url = "https://api.acme.example"


def upload(name: str = "Grüße.mp3", content: bytes = b"ID3") -> FileUpload:
    return FileUpload(name, len(content), "audio/mpeg", open=lambda: io.BytesIO(content))


@pytest.fixture
def ask(upstream: Upstream) -> Iterator[Ask]:
    """Return a function that sends a request and returns the answer."""
    opened: list[Any] = []

    def send(operation: str, payload: dict[str, Any], *, cls: type = Acme, reply: bytes = b'{"id": "a"}', **options: Any) -> Any:
        upstream.then(Script(body=reply, content_type=options.pop("media", JSON)))
        opened.append(cls({"base_url": upstream.url, "api_key": "sk-test"}))
        call = Call(OPERATIONS[operation], "x", payload, options.pop("stream", False), CallOptions(**options))
        return opened[-1].send(call, "m", Limits())

    yield send
    for one in opened:
        one.close()


def form(received: Any) -> list[tuple[str, str | None, bytes]]:
    """Return the fields of a multipart body: name, filename, content."""
    head = f"Content-Type: {received.headers['content-type']}\r\n\r\n".encode()
    parts: Any = message_from_bytes(head + received.body, policy=HTTP).iter_parts()
    return [
        (one.get_param("name", header="content-disposition"), one.get_filename(), one.get_payload(decode=True)) for one in parts
    ]


@pytest.mark.parametrize(
    ("operation", "payload", "method", "path"),
    [
        ("files.list", {"purpose": "fine tune", "limit": 3, "after": None}, "GET", "/v1/files?purpose=fine+tune&limit=3"),
        ("files.retrieve", {"file_id": "file-a/ü"}, "GET", "/v1/files/file-a%2F%C3%BC"),
        ("files.delete", {"file_id": "file-a"}, "DELETE", "/v1/files/file-a"),
        ("batches.cancel", {"batch_id": "b"}, "POST", "/v1/batches/b/cancel"),
        (
            "responses.retrieve",
            {"response_id": "r", "include": ["a", "b"]},
            "GET",
            "/v1/responses/r?include%5B%5D=a&include%5B%5D=b",
        ),
    ],
)
def test_request_without_body(
    operation: str, payload: dict[str, Any], method: str, path: str, ask: Ask, upstream: Upstream
) -> None:
    ask(operation, payload, reply=b'{"id": "a", "data": []}')
    sent = upstream.last
    assert (sent.method, sent.path, sent.body) == (method, path, b"")
    assert "content-type" not in sent.headers


@pytest.mark.parametrize("value", ["", ".", "..", None, 7, "\ud800"])
def test_argument_that_is_no_part_of_a_path_is_refused(value: Any, ask: Ask, upstream: Upstream) -> None:
    with pytest.raises(BadRequestError, match="file_id"):
        ask("files.retrieve", {"file_id": value})
    assert upstream.received == []


def test_query_of_the_caller_follows_that_of_the_operation(ask: Ask, upstream: Upstream) -> None:
    ask("files.list", {"limit": 1}, reply=b'{"data": []}', query={"x": ["1", "2"]})
    assert upstream.last.path.endswith("?x=1&x=2&limit=1")


def test_json_body_has_the_model_where_a_model_serves_it(ask: Ask, upstream: Upstream) -> None:
    ask("images.generate", {"prompt": "a", "n": 1}, reply=b'{"data": []}')
    assert upstream.last.json == {"model": "m", "prompt": "a", "n": 1}
    ask("batches.create", {"input_file_id": "f", "endpoint": "/v1/responses", "completion_window": "24h"})
    assert upstream.last.json == {"input_file_id": "f", "endpoint": "/v1/responses", "completion_window": "24h"}


def test_form_has_fields_as_the_openai_package_names_them(ask: Ask, upstream: Upstream) -> None:
    payload = {
        "file": upload(),
        "timestamp_granularities": ["word", "segment"],
        "chunking_strategy": {"type": "server_vad", "threshold": 0.5},
        "temperature": 0,
        "language": None,
        "flag": True,
    }
    ask("audio.transcriptions", payload, reply=b'{"text": "a"}')
    assert form(upstream.last) == [
        ("model", None, b"m"),
        ("timestamp_granularities[]", None, b"word"),
        ("timestamp_granularities[]", None, b"segment"),
        ("chunking_strategy[type]", None, b"server_vad"),
        ("chunking_strategy[threshold]", None, b"0.5"),
        ("temperature", None, b"0"),
        ("flag", None, b"true"),
        ("file", "Grüße.mp3", b"ID3"),
    ]


def test_several_files_of_a_form_and_its_boundary(ask: Ask, upstream: Upstream) -> None:
    payload = {"image": [upload("a"), upload("b")], "prompt": "x"}
    ask("images.edit", payload, reply=b'{"data": []}', headers={"Content-Type": "application/json", "X-A": "b"})
    assert [field for field in form(upstream.last) if field[1]] == [("image[]", "a", b"ID3"), ("image[]", "b", b"ID3")]
    assert upstream.last.headers["x-a"] == "b"


@pytest.mark.parametrize(
    ("operation", "payload", "accept"),
    [
        ("audio.speech", {"input": "a"}, "*/*"),
        ("files.content", {"file_id": "a"}, "*/*"),
        ("audio.transcriptions", {"file": upload(), "response_format": "srt"}, "*/*"),
        ("moderations", {"input": "a"}, JSON),
    ],
)
def test_accepted_media_types(operation: str, payload: dict[str, Any], accept: str, ask: Ask, upstream: Upstream) -> None:
    try:
        ask(operation, payload, reply=b'{"results": []}')
    except ProviderError:
        assert operation != "moderations"
    assert upstream.last.headers["accept"] == accept


def test_file_that_is_gone_is_an_error_of_the_caller(ask: Ask) -> None:
    def gone() -> Any:
        raise FileNotFoundError(2, "No such file", "a.mp3")

    with pytest.raises(BadRequestError, match="the request body cannot be read .*a.mp3"):
        ask("audio.transcriptions", {"file": FileUpload("a.mp3", 3, open=gone)})


def test_file_in_json_is_an_error_of_the_caller(ask: Ask, upstream: Upstream) -> None:
    with pytest.raises(BadRequestError, match="cannot be written as JSON"):
        ask("moderations", {"input": upload()})
    assert upstream.received == []


class RawAudio:
    """A body of a vendor that takes the audio as it is."""

    content_type = "audio/mpeg"

    def __init__(self, file: FileUpload) -> None:
        self._file, self.size = file, file.size

    def __iter__(self) -> Iterator[bytes]:
        with self._file.open() as reader:
            yield reader.read()


class RawTranscription(OperationCodec):
    method = "PUT"

    def endpoint(self, provider: Any, request: WireRequest) -> str:
        return f"{provider.api_root}/hear/{request.model}"

    def build_payload(self, provider: Any, request: WireRequest) -> Any:
        return RawAudio(request.file)

    def parse_response(self, provider: Any, request: WireRequest, data: Any) -> Any:
        return {"text": data["heard"], **data}


class OwnFormat(Acme):
    operation_codecs = {"audio.transcriptions": RawTranscription(), "moderations": RawTranscription()}


def test_codec_replaces_method_address_body_and_answer(ask: Ask, upstream: Upstream) -> None:
    answer = ask("audio.transcriptions", {"file": upload()}, cls=OwnFormat, reply=b'{"heard": "Hello"}')
    sent = upstream.last
    assert (sent.method, sent.path, sent.body, sent.headers["content-type"]) == ("PUT", "/v1/hear/m", b"ID3", "audio/mpeg")
    assert answer.body == {"text": "Hello", "heard": "Hello"}


class NoBody(OperationCodec):
    def build_payload(self, provider: Any, request: WireRequest) -> Any:
        return None


class BadCodec(Acme):
    operation_codecs = {"moderations": NoBody()}


def test_codec_without_a_body_is_a_bug_of_the_connector(ask: Ask, upstream: Upstream) -> None:
    with pytest.raises(ProviderError, match="build_payload"):
        ask("moderations", {"input": "a"}, cls=BadCodec)
    assert upstream.received == []


def test_codec_with_an_unusable_answer_is_a_bug_of_the_connector(ask: Ask) -> None:
    class Mute(OperationCodec):
        def parse_response(self, provider: Any, request: WireRequest, data: Any) -> Any:
            return data["results"]

    class Muted(Acme):
        operation_codecs = {"moderations": Mute()}

    with pytest.raises(ProviderError, match="parse_response"):
        ask("moderations", {"input": "a"}, cls=Muted, reply=b'{"results": []}')

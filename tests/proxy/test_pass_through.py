"""Answers and streams reach the caller as the vendor sent them, byte for byte where no rule changes them."""

from __future__ import annotations

import http.client
import json
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from modelmesh_proxy import ProxyServer

MODEL = "gpt-test"
HEAD = '"id": "c1" ,"object":"chat.completion.chunk","created":1,"model" : "NAME"'


def _event(rest: str, name: str = MODEL) -> bytes:
    return ("{" + HEAD.replace("NAME", name) + ", " + rest + "}").encode()


def _text(text: str, more: str = "", index: int = 0) -> str:
    return f'"choices": [{{"index":{index}, "delta":{{"content":{text}}} ,"finish_reason":null{more}}}]'


ROLE = _event('"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]')
FINISH = _event('"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]')
USAGE = _event('"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":9,"total_tokens":12}')
ODD = [
    _event(_text('"h\\u00e9 \\"quoted\\" \\/ \\n"')),
    _event(_text('"snow ☃ 😀"', ', "x_new": [1.0, 1e5, -0.0]')),
    _event(_text('"twice"') + ', "odd" : {"a":1,"a":2}, "odd":  null'),
    _event(_text('"\\"model\\": \\"gpt-test\\""')),
    _event(_text('" spaced "') + ' ,  "big": 12345678901234567890, "deep": {"model_name": "x"}'),
]
REASONING = _event('"choices":[{"index":0,"delta":{"reasoning_content":"because"},"finish_reason":null}]')
CALL = _event(
    '"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function",'
    '"function":{"name":"f","arguments":"{}"}}]},"finish_reason":null}]'
)
DONE = b"[DONE]"

MESSAGE = '"message": {"role":"assistant", "content":"h\\u00e9 \\/ ☃", "refusal":null, "annotations": [] }'
ANSWER = (
    '{ "id":"c1",\n "object": "chat.completion","created":7, "model" :"NAME", "x_new": {"a":1, "a":2.0}, "choices":[{"index":0, '
    + MESSAGE
    + ',"finish_reason":"stop", "logprobs":null}], "usage":{"prompt_tokens":3,"completion_tokens":9,"total_tokens":12,"n":1e2}}'
)
CALLS = ANSWER.replace(
    '"refusal":null',
    '"tool_calls": [ {"id":"call_1","type":"function", "function":{"name":"f","arguments":"{\\"a\\": 1}"}} ], "refusal":null',
)


class Vendor:
    """A server that writes the bytes that a test stored, in the given pieces."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.is_cut = False
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}/v1"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                with connection, suppress(OSError):
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65536)
        head, _, body = received.partition(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(body) < size:
            body += connection.recv(65536)
        kind = b"text/event-stream" if json.loads(body).get("stream") else b"application/json"
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ntransfer-encoding: chunked\r\n\r\n" % kind)
        for piece in self.pieces:
            connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        if not self.is_cut:
            connection.sendall(b"0\r\n\r\n")

    def close(self) -> None:
        self._server.close()


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    made = Vendor()
    yield made
    made.close()


@pytest.fixture(scope="module")
def port(vendor: Vendor) -> Iterator[int]:
    account = {"connector": "openai.llm.v1", "api_key": "test", "base_url": vendor.url, "models": [MODEL]}
    pool = {"models": [f"vendor/{MODEL}"], "retry": {"max_attempts": 0}}
    server = ProxyServer({"providers": {"vendor": account}, "pools": {"chat": pool}}, port=0)
    server.start(block=False)
    yield server.get_status().port
    server.stop()


def _asked(port: int, **more: Any) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = {"model": "chat", "messages": [{"role": "user", "content": "hi"}], **more}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
    answer = connection.getresponse()
    received = answer.read()
    connection.close()
    assert answer.status == 200, received
    return received


def _split(data: bytes, seed: int) -> list[bytes]:
    places = sorted(random.Random(seed).sample(range(1, len(data)), 12))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


def _stream(*events: bytes) -> bytes:
    return b"".join(b"data: %b\n\n" % event for event in events)


def _events(body: bytes) -> list[bytes]:
    assert body.endswith(b"\n\n")
    return [event.removeprefix(b"data: ") for event in body[:-2].split(b"\n\n")]


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
@pytest.mark.parametrize("name", [MODEL, "gpt-test-2026-01-01", "org/quanté"])
def test_chunks_of_text_keep_their_bytes(vendor: Vendor, port: int, name: str, seed: int | None) -> None:
    def of_vendor(event: bytes) -> bytes:
        return event.replace(b'"model" : "gpt-test"', f'"model" : "{name}"'.encode())

    sent = _stream(of_vendor(ROLE), *map(of_vendor, ODD), of_vendor(FINISH), of_vendor(USAGE), DONE)
    vendor.pieces, vendor.is_cut = [sent] if seed is None else _split(sent, seed), False
    found = _events(_asked(port, stream=True))
    assert found[1 : 1 + len(ODD)] == ODD
    role, finish = json.loads(found[0]), json.loads(found[-2])
    assert (role, found[-1], len(found)) == ({**json.loads(ROLE), "model": MODEL}, DONE, len(ODD) + 3)
    assert finish == {**json.loads(FINISH), "usage": json.loads(USAGE)["usage"]}


def test_usage_is_a_chunk_of_its_own_where_the_caller_asks(vendor: Vendor, port: int) -> None:
    vendor.pieces, vendor.is_cut = [_stream(ROLE, *ODD, FINISH, USAGE, DONE)], False
    *rest, finish, usage, done = _events(_asked(port, stream=True, stream_options={"include_usage": True}))
    assert rest[1:] == ODD
    assert "usage" not in json.loads(finish)
    assert json.loads(usage) == json.loads(USAGE)
    assert done == DONE


def test_other_chunks_between_texts_keep_their_place(vendor: Vendor, port: int) -> None:
    vendor.pieces, vendor.is_cut = [_stream(ROLE, REASONING, *ODD, CALL, FINISH.replace(b'"stop"', b'"tool_calls"'), DONE)], False
    found = list(map(json.loads, _events(_asked(port, stream=True))[:-1]))
    deltas = [one["choices"][0]["delta"] for one in found]
    assert deltas[1]["reasoning_content"] == "because"
    assert [one.get("content") for one in deltas[2:-2]] == [json.loads(one)["choices"][0]["delta"]["content"] for one in ODD]
    assert deltas[-2] == json.loads(CALL)["choices"][0]["delta"]


def test_text_of_other_choices_after_an_end(vendor: Vendor, port: int) -> None:
    second = [_event(_text('"one"', index=1)), _event(_text('"two"', index=1))]
    end = FINISH.replace(b'"index":0', b'"index":1')
    vendor.pieces, vendor.is_cut = [_stream(ROLE, ODD[0], second[0], FINISH, second[1], end, DONE)], False
    found = list(map(json.loads, _events(_asked(port, stream=True, n=2))[:-1]))
    assert found[1:] == list(map(json.loads, [ODD[0], second[0], FINISH, second[1], end]))


def test_cut_stream_ends_with_one_error_event(vendor: Vendor, port: int) -> None:
    vendor.pieces, vendor.is_cut = [_stream(ROLE, *ODD)], True
    found = _events(_asked(port, stream=True))
    assert found[1:-1] == ODD
    assert set(json.loads(found[-1])) == {"error"}


@pytest.mark.parametrize("seed", [None, 1, 2])
@pytest.mark.parametrize("name", [MODEL, "gpt-test-2026-01-01"])
@pytest.mark.parametrize("answer", [ANSWER, CALLS], ids=["text", "calls"])
def test_answer_keeps_its_bytes(vendor: Vendor, port: int, answer: str, name: str, seed: int | None) -> None:
    sent = answer.replace("NAME", name).encode()
    vendor.pieces, vendor.is_cut = [sent] if seed is None else _split(sent, seed), False
    assert _asked(port) == answer.replace("NAME", MODEL).encode()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (('"created":7,', ""), {"created"}),
        (('"object": "chat.completion",', ""), {"object"}),
        (('"x_new": {', '"x_new": {"model": "inner", '), set()),
    ],
    ids=["no created", "no object", "two models"],
)
def test_answer_with_a_missing_part_is_completed(vendor: Vendor, port: int, change: tuple[str, str], expected: set[str]) -> None:
    sent = ANSWER.replace(*change).replace("NAME", "other")
    vendor.pieces, vendor.is_cut = [sent.encode()], False
    found, given = json.loads(_asked(port)), json.loads(sent)
    assert set(found) - set(given) == expected
    assert {name: found[name] for name in given} == {**given, "model": MODEL}

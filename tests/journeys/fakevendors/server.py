"""The server of all fake vendors. A prefix of the path selects the account, with its failure, calls and bill."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self

import trustme
from attrs import define, field

from fakevendors import agent_dialect, anthropic_dialect, cohere_dialect, gemini_dialect, openai_dialect, responses_dialect
from fakevendors.failures import PAGE, WAYS, body_of, refusal
from fakevendors.requests import Answer, Asked, RefusedError, Request, expect
from fakevendors.service_routes import find_service
from fakevendors.services import Result, Service, Work
from fakevendors.vendors import VENDORS, Vendor

DIALECTS: dict[str, Any] = {
    "openai": openai_dialect,
    "anthropic": anthropic_dialect,
    "gemini": gemini_dialect,
    "cohere": cohere_dialect,
    "agent": agent_dialect,
}
FURTHER: dict[str, Any] = {"responses": responses_dialect, "messages": anthropic_dialect}
"""Dialects that some vendors serve under a path of their own, next to that of their chat."""
HOST_WITHOUT_ADDRESS = "https://vendor.invalid"


@define
class Bill:
    """The usage of one answer, by the vendor's own count."""

    model: str
    prompt: int
    completion: int


@define(eq=False)
class Account:
    """One account at one vendor.

    Attributes:
        vendor: The vendor.
        url: Its address, with the path of the account.
        way: The failure of every request, or ``None``.
        words: Words of each answer.
        delay: Seconds before an answer begins.
        pace: Seconds between two events of a stream.
        cut_at: Events of a stream before the failure ``cut``.
        calls: Requests that arrived, as path and body.
        refused: Refusals by the vendor's rules, as status and error text.
        bills: One entry for each answer that was billed.
        results: What the account returned for operations other than chat.
        left: Streams that the reader closed before the end.
        under_way: Requests in flight.
        free: Requests until the vendor throttles, ``None`` for no limit.
        models: Names of models in addition to the shipped catalogue.
    """

    vendor: Vendor
    url: str
    way: str = ""
    words: int = 4
    delay: float = 0.0
    pace: float = 0.0
    cut_at: int = 1
    calls: list[tuple[str, Any]] = field(factory=list)
    refused: list[tuple[int, str]] = field(factory=list)
    bills: list[Bill] = field(factory=list)
    results: list[Result] = field(factory=list)
    left: int = 0
    under_way: int = 0
    free: int | None = None
    models: tuple[str, ...] = ()
    _lock: threading.Lock = field(factory=threading.Lock)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the account in a user's configuration: its key and its address."""
        return {"api_key": f"test-{self.vendor.name}", "base_url": self.url}

    @property
    def tokens(self) -> int:
        """All tokens that were billed."""
        return sum(bill.prompt + bill.completion for bill in self.bills)

    def answer(self, asked: Asked) -> Answer:
        """Return the model's answer. A question about the weather calls two tools, then one, then gets a text."""
        with self._lock:
            number = len(self.calls)
        prompt = max(1, len(asked.prompt.split()))
        if asked.tools and asked.last.rstrip().endswith("?"):
            calls = _CALLS.get(asked.results)
            if calls is not None:
                return Answer("", prompt, 8 * len(calls), number, "tool_calls", calls)
        words = [f"{self.vendor.name} answers.", *(f"word{place}" for place in range(self.words - 2))]
        size = sum(len(word.split()) for word in words)
        if asked.limit is not None and size > asked.limit:
            return Answer(" ".join(" ".join(words).split()[: asked.limit]), prompt, asked.limit, number, "length")
        return Answer(" ".join(words), prompt, size, number)

    def charge(self, asked: Asked, prompt: int, completion: int) -> None:
        """Add an answer to the bill."""
        with self._lock:
            self.bills.append(Bill(asked.model, prompt, completion))


_CALLS: dict[int, list[tuple[str, dict[str, Any]]]] = {
    0: [("weather", {"city": "Oslo"}), ("weather", {"city": "Rome"})],
    2: [("difference", {"a": 3, "b": 21})],
}


class Street:
    """All vendors with their accounts, as a context manager."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        handler = type("Handler", (_Handler,), {"street": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._tls = _Server(("127.0.0.1", 0), handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        self._tls.socket = context.wrap_socket(self._tls.socket, server_side=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._closed = probe.getsockname()[1]
        self.over = threading.Event()

    def __enter__(self) -> Self:
        for server in (self._server, self._tls):
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *rest: object) -> None:
        self.over.set()
        for server in (self._server, self._tls):
            server.shutdown()
            server.server_close()

    def account(self, vendor: str, way: str = "", **more: Any) -> Account:
        """Open an account."""
        number = f"a{len(self.accounts)}"
        port = self._server.server_address[1]
        addresses = {
            "refused": f"http://127.0.0.1:{self._closed}/{number}",
            "dns": f"{HOST_WITHOUT_ADDRESS}/{number}",
            "tls": f"https://127.0.0.1:{self._tls.server_address[1]}/{number}",
        }
        assert not way or way in WAYS
        account = Account(VENDORS[vendor], addresses.get(way, f"http://127.0.0.1:{port}/{number}"), way, **more)
        self.accounts[number] = account
        return account


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing, because readers may disconnect at any time."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    street: ClassVar[Street]

    def log_message(self, *rest: Any) -> None:
        """Log nothing."""

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        number, _, rest = self.path.lstrip("/").partition("/")
        account = self.street.accounts.get(number)
        if account is None:
            self._json(404, {"error": {"message": "no such account"}})
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        work = Work.read(f"/{rest}", headers, raw)
        request = Request(f"/{rest}", headers, work.fields)
        account.calls.append((request.path, request.body))
        account.under_way += 1
        try:
            self._serve(account, request, work)
        finally:
            account.under_way -= 1

    def _serve(self, account: Account, request: Request, work: Work) -> None:
        last = request.path.rpartition("/")[2]
        dialect = FURTHER[last] if last in account.vendor.further else DIALECTS[account.vendor.dialect]
        way = account.way
        if way in ("key", "forbidden", "funds", "gone", "throttled", "throttled-long", "error", "overloaded"):
            status, headers, body = refusal(way, account.vendor)
            self._json(status, body, **headers)
            return
        if way == "html":
            self._send(200, PAGE.encode(), "text/html; charset=utf-8")
            return
        if way == "hang":
            self.street.over.wait(30)
            self.close_connection = True
            return
        if (service := find_service(account.vendor.name, work)) is not None:
            self._serve_operation(account, work, service)
            return
        try:
            asked = self._checked(account, dialect, request)
        except RefusedError as error:
            account.refused.append((error.status, str(error)))
            self._json(error.status, body_of(account.vendor, error.status, str(error), "invalid_request_error"))
            return
        if account.free is not None:
            if account.free <= 0:
                status, headers, body = refusal("throttled-long", account.vendor)
                self._json(status, body, **headers)
                return
            account.free -= 1
        if account.delay:
            time.sleep(account.delay)
        if way == "empty":
            self._send(200, b"", "text/event-stream" if asked.stream else "application/json")
            return
        answer = account.answer(asked)
        if not asked.stream:
            body = json.dumps(dialect.whole(asked, answer, account.vendor)).encode()
            account.charge(asked, answer.prompt, answer.completion)
            self._send(200, body, "application/json", cut=way == "cut")
            return
        self._stream(account, asked, answer, dialect)

    def _serve_operation(self, account: Account, work: Work, service: Service) -> None:
        vendor = account.vendor
        try:
            self._check_key(account, work.headers, DIALECTS[vendor.dialect])
            result = service(work, vendor.name)
            is_known = not result.model or result.model in vendor.models or result.model in account.models
            expect(is_known, f"The model {result.model!r} does not exist.", 404)
        except RefusedError as error:
            account.refused.append((error.status, str(error)))
            self._json(error.status, body_of(vendor, error.status, str(error), "invalid_request_error"))
            return
        if account.way == "empty":
            self._send(200, b"", result.kind)
            return
        account.results.append(result)
        is_cut = account.way == "cut"
        self._send(200, result.encoded, result.kind, cut=is_cut, before=is_cut and result.kind != "application/json")

    def _check_key(self, account: Account, headers: Mapping[str, str], dialect: Any) -> None:
        key = f"test-{account.vendor.name}"
        given = [before + key == headers.get(name) for name, before in dialect.KEYS.items()]
        expect(any(given), "Incorrect API key provided.", 401)

    def _checked(self, account: Account, dialect: Any, request: Request) -> Asked:
        self._check_key(account, request.headers, dialect)
        expect(dialect.path_holds(request.path), f"Unknown request URL: POST {request.path}", 404)
        asked: Asked = dialect.asked(request, account.vendor)
        expect(
            asked.model in account.vendor.models or asked.model in account.models,
            f"The model {asked.model!r} does not exist.",
            404,
        )
        return asked

    def _stream(self, account: Account, asked: Asked, answer: Answer, dialect: Any) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        sent = 0
        try:
            for place, event in enumerate(dialect.events(asked, answer, account.vendor)):
                if account.way == "cut" and place == account.cut_at:
                    self.wfile.flush()
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                if account.pace:
                    time.sleep(account.pace)
                data = event.encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                if account.pace or place == 0:
                    self.wfile.flush()
                    self._look_for_the_end()
                sent += 1
            self.wfile.write(b"0\r\n\r\n")
            self.wfile.flush()
        except OSError:
            account.left += 1
            account.charge(asked, answer.prompt, min(sent, answer.completion))
            self.close_connection = True
            return
        account.charge(asked, answer.prompt, answer.completion)

    def _look_for_the_end(self) -> None:
        """Raise when the reader has closed the connection."""
        self.connection.setblocking(False)
        try:
            if self.connection.recv(1, socket.MSG_PEEK) == b"":
                raise ConnectionResetError
        except BlockingIOError:
            pass
        finally:
            self.connection.setblocking(True)

    def _json(self, status: int, body: Any, **headers: str) -> None:
        self._send(status, json.dumps(body).encode(), "application/json", **headers)

    def _send(self, status: int, body: bytes, kind: str, *, cut: bool = False, before: bool = False, **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(b"" if before else body[: len(body) // 2] if cut else body)
            self.wfile.flush()
        if cut:
            self.close_connection = True

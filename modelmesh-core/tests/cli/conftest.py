"""Fixtures of the command line tests: a loopback provider, fake distributions, and processes."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from modelmesh._engine.plugins.known_distributions import variables


class Upstream(ThreadingHTTPServer):
    """Provider with OpenAI's format. The name of the model selects its behaviour."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[dict[str, Any]] = []
        self.lists_asked = 0
        self.go_on = Event()

    def handle_error(self, *_: Any) -> None:
        """Ignore disconnected clients."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Upstream
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.lists_asked += 1
        self._json(200, {"object": "list", "data": [{"id": "listed-model"}]})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(request)
        model = request["model"]
        if model == "limits":
            self._json(
                429,
                {"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}},
                ("Retry-After", "3600"),
            )
        elif model == "refuses":
            key = self.headers["Authorization"]
            self._json(
                400,
                {"error": {"message": f"bad request with {key}\x1b]0;owned\x07", "type": "invalid_request_error", "code": "bad"}},
            )
        elif request.get("stream"):
            self._stream(model)
        else:
            message = {"role": "assistant", "content": "Paris"}
            choice = {"index": 0, "message": message, "finish_reason": "length" if model == "cut" else "stop"}
            self._json(
                200, {"id": "chatcmpl-1", "object": "chat.completion", "model": model, "choices": [choice], "new_field": [1]}
            )

    def _stream(self, model: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self._event({"role": "assistant", "content": ""})
        pieces = {"silent": [], "colours": ["\x1b[31mred\x1b[0m"]}.get(model, ["Par", "is"])
        for place, piece in enumerate(pieces):
            if place and model == "waits":
                self.server.go_on.wait(20)
            if place and model == "breaks":
                return
            self._event({"content": piece})
        self._event({}, "stop")
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, delta: dict[str, Any], finish: str | None = None) -> None:
        chunk = {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.flush()

    def _json(self, status: int, body: Any, *headers: tuple[str, str]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(raw))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.go_on.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def configured(upstream: Upstream, tmp_path: Path) -> Callable[..., str]:
    """Return a function that writes a configuration with loopback providers, each named after its only model."""
    pytest.importorskip("modelmesh_connector_openai")

    def write(*models: str) -> str:
        entry = {"connector": "openai.llm.v1", "base_url": upstream.address, "api_key": "sk-test-secret"}
        providers = {model: {**entry, "models": [model]} for model in models}
        path = tmp_path / "mesh.json"
        path.write_text(json.dumps({"providers": providers, "pools": {"chat-completion": {"providers": list(models)}}}))
        return str(path)

    return write


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable detection, and fix the width of tables."""
    for name in (*variables(), "COLUMNS", "MODELMESH_DISABLE_PLUGINS", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


class Site:
    """Folder of fake installed distributions."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def install(
        self, name: str, module: str, source: str, entry_points: Mapping[str, Mapping[str, str]], version: str = "1.0"
    ) -> None:
        """Add a distribution of one module."""
        (self.path / f"{module}.py").write_text(source)
        info = self.path / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        groups = (
            f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in points.items())
            for group, points in entry_points.items()
        )
        (info / "entry_points.txt").write_text("\n".join(groups))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Importable folder. Its modules are removed from ``sys.modules`` afterwards."""
    path = tmp_path / "site"
    path.mkdir()
    monkeypatch.syspath_prepend(str(path))
    monkeypatch.setenv("PYTHONPATH", str(path))
    yield Site(path)
    for name in [name for name, module in sys.modules.items() if str(path) in str(getattr(module, "__file__", ""))]:
        del sys.modules[name]


@pytest.fixture
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``python -m modelmesh.cli`` in a process."""

    def run(*arguments: str, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        given = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
        command = [sys.executable, "-m", "modelmesh.cli", *arguments]
        environ = {**os.environ, **environment}
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environ, check=False, **given)

    return run


@pytest.fixture
def invoke() -> Callable[..., Any]:
    """Run the command line in this process with a new group, so that plugins are loaded again."""
    pytest.importorskip("click")
    pytest.importorskip("rich")
    from click.testing import CliRunner

    from modelmesh.cli.root import root

    apart = "mix_stderr" in inspect.signature(CliRunner).parameters  # click 8.1. Later versions always separate the two streams
    runner = CliRunner(mix_stderr=False) if apart else CliRunner()

    def invoke(*arguments: str, stdin: str | None = None) -> Any:
        root._added = None
        try:
            return runner.invoke(root, list(arguments), input=stdin, prog_name="modelmesh")
        finally:
            root._added = None

    return invoke

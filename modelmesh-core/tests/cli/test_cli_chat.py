"""``modelmesh chat`` against a provider on the loopback address."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")
pytest.importorskip("modelmesh_connector_openai")


def test_chat_writes_the_answer_to_stdout(invoke, configured, upstream):
    result = invoke("chat", "--config", configured("works"), "hello")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "Paris\n", "")
    (request,) = upstream.requests
    assert (request["model"], request["messages"], request["stream"]) == ("works", [{"role": "user", "content": "hello"}], True)


def test_chat_reads_the_prompt_from_a_pipe(run, configured, upstream):
    done = run("chat", "--config", configured("works"), stdin="from a pipe\nof two lines")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Paris\n", "")
    assert upstream.requests[0]["messages"] == [{"role": "user", "content": "from a pipe\nof two lines"}]


def test_chat_sends_only_given_options(invoke, configured, upstream):
    arguments = ["--system", "Be brief", "--max-tokens", "7", "--temperature", "0.5", "--no-stream"]
    result = invoke("chat", "-c", configured("works"), *arguments, "hello")
    assert result.stdout == "Paris\n"
    messages = [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "hello"}]
    assert upstream.requests == [{"model": "works", "messages": messages, "max_tokens": 7, "temperature": 0.5}]


def test_chat_json_is_the_whole_reply(invoke, configured, upstream):
    result = invoke("chat", "-c", configured("works"), "--json", "hello")
    reply = json.loads(result.stdout)
    assert reply["choices"][0]["message"]["content"] == "Paris"
    assert reply["new_field"] == [1]
    assert "stream" not in upstream.requests[0]


@pytest.mark.parametrize("how", [(), ("--no-stream",), ("--json",)])
def test_chat_why_shows_attempts_on_stderr(invoke, configured, how):
    result = invoke("chat", "-c", configured("limits", "works"), "--why", *how, "hello")
    assert result.exit_code == 0
    assert "had too many requests" not in result.stdout
    first, second = result.stderr.splitlines()[-2:]
    assert first.split()[:3] == ["1", "limits", "limits"]
    assert "rate limited" in first
    assert " 429 " in first
    assert "failed over to works" in first
    assert second.split()[:4] == ["2", "works", "works", "answered"]


def test_chat_notes_truncated_and_empty_answers(invoke, configured):
    assert "Increase --max-tokens" in invoke("chat", "-c", configured("cut"), "--no-stream", "hello").stderr
    result = invoke("chat", "-c", configured("silent"), "hello")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "has no text (finish_reason: stop)" in result.stderr


@pytest.mark.parametrize("stdin", ["", "  \n"])
def test_chat_with_empty_prompt_is_a_usage_error(invoke, configured, upstream, stdin):
    result = invoke("chat", "-c", configured("works"), stdin=stdin)
    assert result.exit_code == 2
    assert "the prompt is empty" in result.stderr
    assert not upstream.requests


def test_chat_error_has_no_key_and_no_control_characters(run, configured):
    done = run("chat", "-c", configured("refuses"), "hello")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error: " in done.stderr
    assert "bad request with Bearer …" in done.stderr
    assert "refuses refused the request (400 bad): " in done.stderr
    assert "sk-test-secret" not in done.stderr
    assert "\x1b" not in done.stderr
    assert "Traceback" not in done.stderr


def test_chat_debug_does_not_show_the_key(run, configured):
    done = run("--debug", "chat", "-c", configured("refuses"), "hello")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "sk-test-secret" not in done.stderr


def test_chat_error_lists_every_attempt_once(run, configured):
    done = run("chat", "-c", configured("limits"), "hello")
    assert done.returncode == 1
    assert done.stderr.count("limits limited the rate of requests to limits (429") == 1


def test_chat_keeps_the_text_of_an_interrupted_answer(run, configured):
    done = run("chat", "-c", configured("breaks"), "hello")
    assert (done.returncode, done.stdout) == (1, "Par\n")
    assert done.stderr.startswith("error: ")


def test_chat_provider_option_restricts_the_request(invoke, configured, upstream):
    path = configured("works", "limits", "other")
    assert invoke("chat", "-c", path, "--provider", "other", "hello").exit_code == 0
    assert [request["model"] for request in upstream.requests] == ["other"]
    assert invoke("chat", "-c", path, "-p", "limits", "-p", "works", "hello").exit_code == 0
    assert [request["model"] for request in upstream.requests] == ["other", "works"]


def test_chat_with_unknown_provider_is_a_usage_error(invoke, configured, upstream):
    result = invoke("chat", "-c", configured("works"), "-p", "nobody", "hello")
    assert result.exit_code == 2
    assert "has no provider 'nobody'. It has: works." in result.stderr
    assert not upstream.requests


def test_chat_uses_the_only_pool_by_default(invoke, upstream, tmp_path):
    entry = {"connector": "openai.llm.v1", "base_url": upstream.address, "api_key": "test", "models": ["works"]}
    path = tmp_path / "own.json"
    path.write_text(json.dumps({"providers": {"mine": entry}, "pools": {"acme": {"providers": ["mine"]}}}))
    assert invoke("chat", "-c", str(path), "hello").stdout == "Paris\n"
    assert invoke("chat", "-c", str(path), "--capability", "acme", "hello").stdout == "Paris\n"
    result = invoke("chat", "-c", str(path), "--capability", "acne", "hello")
    assert result.exit_code == 1
    assert "Did you mean 'acme'?" in result.stderr
    assert "On the command line: --capability NAME" in result.stderr


def test_chat_detects_providers_by_their_variables(run, upstream):
    done = run("chat", "hello", OPENAI_API_KEY="sk-test", OPENAI_BASE_URL=upstream.address)
    assert (done.returncode, done.stdout) == (0, "Paris\n")
    done = run("chat", "--provider", "groq", "hello", OPENAI_API_KEY="sk-test", OPENAI_BASE_URL=upstream.address)
    assert done.returncode == 1
    assert "groq" in done.stderr
    assert len(upstream.requests) == 1


def test_chat_in_a_pipe_keeps_control_characters(run, configured):
    assert run("chat", "-c", configured("colours"), "hello").stdout == "\x1b[31mred\x1b[0m\n"


def test_chat_shows_unsupported_settings_as_notes(run, configured):
    path = configured("works")
    raw = json.loads(Path(path).read_text())
    raw["providers"]["works"]["files"] = {"upload": True}
    Path(path).write_text(json.dumps(raw))
    done = run("chat", "-c", path, "hello")
    assert done.stdout == "Paris\n"
    assert done.stderr.startswith("note: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def ctrl_c_is_heard():
    """A shell that starts tests in the background has them ignore the signal, and their children with them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name != "posix", reason="signals of this kind are POSIX's")
def test_chat_ctrl_c_exits_with_130(configured, upstream, ctrl_c_is_heard):
    command = [sys.executable, "-m", "modelmesh.cli", "chat", "-c", configured("waits"), "hello"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    assert process.stdout is not None
    beginning = process.stdout.read(3)
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=60)
    upstream.go_on.set()
    assert beginning + rest == "Par\n"
    assert process.returncode == 130
    assert errors.strip() == ""


# -- a conversation on a terminal ---------------------------------------------------------------------------------------


class Terminal:
    """The command line on a pseudo-terminal."""

    def __init__(self, *arguments: str) -> None:
        pty = pytest.importorskip("pty")
        self._ours, theirs = pty.openpty()
        environ = {**os.environ, "TERM": "dumb"}
        command = [sys.executable, "-m", "modelmesh.cli", *arguments]
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ, start_new_session=True)
        os.close(theirs)
        self.seen = ""

    def expect(self, text: str) -> None:
        """Read until a text has come."""
        ends = time.monotonic() + 60
        while text not in self.seen:
            readable, _, _ = select.select([self._ours], [], [], max(0.0, ends - time.monotonic()))
            assert readable, f"no {text!r} within 60 s: {self.seen!r}"
            try:
                self.seen += os.read(self._ours, 4096).decode()
            except OSError:
                pytest.fail(f"ended without {text!r}: {self.seen!r}")

    def type(self, text: str) -> None:
        self.seen = ""
        os.write(self._ours, text.encode())

    def end(self) -> int:
        """Wait for the end."""
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            os.close(self._ours)


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX's")
def test_conversation_keeps_messages_after_an_error(configured, upstream):
    terminal = Terminal("chat", "-c", configured("works"), "--system", "Be brief")
    terminal.expect("> ")
    terminal.type("first\n")
    terminal.expect("Paris")
    terminal.expect("> ")
    terminal.type("second\n")
    terminal.expect("Paris")
    terminal.expect("> ")
    terminal.type("\x04")
    assert terminal.end() == 0
    roles = [[message["role"] for message in request["messages"]] for request in upstream.requests]
    assert roles == [["system", "user"], ["system", "user", "assistant", "user"]]
    assert upstream.requests[1]["messages"][2]["content"] == "Paris"


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX's")
def test_conversation_continues_after_a_failed_request(configured, upstream):
    terminal = Terminal("chat", "-c", configured("refuses"))
    terminal.expect("> ")
    for _ in range(2):
        terminal.type("hello\n")
        terminal.expect("refused the request (400 bad)")
        terminal.expect("> ")
    terminal.type("/exit\n")
    assert terminal.end() == 0
    assert [len(request["messages"]) for request in upstream.requests] == [1, 1]


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX's")
def test_conversation_removes_control_characters(configured):
    terminal = Terminal("chat", "-c", configured("colours"), "hello")
    terminal.expect("[31mred[0m")
    assert terminal.end() == 0
    assert "\x1b" not in terminal.seen


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX's")
def test_conversation_second_ctrl_c_exits_with_130(configured, ctrl_c_is_heard):
    terminal = Terminal("chat", "-c", configured("works"))
    terminal.expect("> ")
    while terminal.process.poll() is None:  # Python may miss one that comes just before it begins to wait for a key
        terminal.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            terminal.process.wait(2)
    assert terminal.end() == 130


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX's")
def test_conversation_ctrl_c_stops_only_the_answer(configured, upstream, ctrl_c_is_heard):
    terminal = Terminal("chat", "-c", configured("waits"))
    terminal.expect("> ")
    terminal.type("first\n")
    terminal.expect("Par")
    terminal.process.send_signal(signal.SIGINT)
    terminal.expect("stopped. The conversation continues")
    upstream.go_on.set()
    terminal.type("second\n")
    terminal.expect("Paris")
    terminal.expect("> ")
    terminal.type("/exit\n")
    assert terminal.end() == 0
    assert [message["content"] for message in upstream.requests[1]["messages"]] == ["first", "Par", "second"]


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX's")
def test_conversation_commands_are_not_sent(configured, upstream):
    terminal = Terminal("chat", "-c", configured("works"))
    terminal.expect("> ")
    terminal.type("/help\n")
    terminal.expect("/new    start a new conversation")
    terminal.type("/nonesuch\n")
    terminal.expect("there is no command /nonesuch")
    terminal.type("hello\n")
    terminal.expect("Paris")
    terminal.type("/new\n")
    terminal.expect("a new conversation starts")
    terminal.type("again\n")
    terminal.expect("Paris")
    terminal.type("/exit\n")
    assert terminal.end() == 0
    assert [len(request["messages"]) for request in upstream.requests] == [1, 1]

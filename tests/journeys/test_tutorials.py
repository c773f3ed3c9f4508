"""The tutorials in a real shell: an empty environment, bash, and a second terminal if a page needs one."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

TUTORIALS = sorted((Path(__file__).resolve().parents[2] / "docs" / "tutorials").glob("*.md"))
FENCE = re.compile(
    r"(?:^<!-- (?P<note>[^\n]*?) -->\n)?^```(?P<language>\w+)\n(?P<code>.*?)^```$(?:\n+^```text\n(?P<output>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)
END = "__end of a command__"
VARYING = (
    (re.compile(r"\b\d+ (?:d|h|min|s)(?: \d+ (?:h|min|s))? \(until [^)]*\)"), "N s"),
    (re.compile(r"\b\d+ (?:d|h|min)(?: \d+ (?:h|min|s))?\b"), "N s"),
    (re.compile(r"\b\d+(\.\d+)? (?:ms|s)\b"), "N s"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC\b"), "TIME UTC"),
    (re.compile(r"\bmm-[0-9A-Za-z_-]+"), "mm-TOKEN"),
)

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


class Terminal:
    """A shell in an empty environment, in which the virtual environment is active."""

    def __init__(self, folder: Path) -> None:
        path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"])
        environment = {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8", "COLUMNS": "160", "TERM": "dumb"}
        self.shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"], cwd=folder, env=environment, text=True, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def type(self, command: str) -> str:
        """Type a command and return its output."""
        self.begin(f"{command}\necho {END}")
        return "".join(iter(self.line, f"{END}\n"))

    def begin(self, command: str) -> None:
        """Type a command without waiting for its output."""
        assert self.shell.stdin is not None
        self.shell.stdin.write(f"{command}\n")
        self.shell.stdin.flush()

    def line(self) -> str:
        """Return the next line on the screen."""
        assert self.shell.stdout is not None
        line = self.shell.stdout.readline()
        assert line, "the shell ended"
        return line


@contextmanager
def terminal(folder: Path) -> Iterator[Terminal]:
    """Open a terminal, and close it with its processes."""
    opened = Terminal(folder)
    try:
        yield opened
    finally:
        os.killpg(opened.shell.pid, signal.SIGKILL)
        opened.shell.communicate()


def steady(text: str) -> str:
    for varying, word in VARYING:
        text = varying.sub(word, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for_listener(port: int) -> None:
    for _ in range(1200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"nothing listens on port {port}")


@pytest.mark.parametrize("page", TUTORIALS, ids=[page.stem for page in TUTORIALS])
def test_tutorial_in_a_shell_prints_the_output_of_the_page(page: Path, tmp_path: Path) -> None:
    program, expected, port, exports = "", "", free_port(), ""
    with ExitStack() as screens:
        first = screens.enter_context(terminal(tmp_path))
        for block in FENCE.finditer(page.read_text("utf-8")):
            note, language = block["note"] or "", block["language"]
            code = block["code"].replace("localhost:8080", f"localhost:{port}")
            if note.startswith("file: "):
                (tmp_path / note.removeprefix("file: ")).write_text(code, "utf-8")
            elif note == "second terminal":
                command, *shown = code.removeprefix("$ ").splitlines()
                second = screens.enter_context(terminal(tmp_path))
                if command == "modelmesh serve":  # on a port that no other test uses
                    second.begin(f"{exports}{command} --port {port}")
                    wait_for_listener(port)
                    continue
                second.begin(command)
                printed = [second.line() for _ in shown]
                assert steady("".join(printed)) == steady("\n".join(shown))
                exports = "".join(printed)
                first.type(exports)
            elif note == "typed":
                for entry in code.split("$ ")[1:]:
                    command, _, shown_text = entry.partition("\n")
                    assert steady(first.type(command)) == steady(shown_text), command
            elif language == "python" and not note.startswith("not run"):
                program += code
                expected += block["output"] or ""
        if program:
            (tmp_path / "page.py").write_text(program, "utf-8")
            assert steady(first.type("python page.py")) == steady(expected)

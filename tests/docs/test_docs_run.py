"""Every Python block of every page runs and prints the output on the page.

The blocks of one page share a namespace and a temporary working directory, in order. The output of a block is in
the ``text`` block after it. A comment before a block marks an exception:

``<!-- file: modelmesh.yaml -->``
    is written to that file. A ``pyproject.toml`` counts as installed, with its entry points
``<!-- not run: needs real keys -->``
    is only compiled
``<!-- needs: langchain_openai -->``
    anywhere in a page: the page is skipped if that package is missing
``<!-- without: modelmesh_connector_groq -->``
    anywhere in a page: the page runs as if that package were not installed
``<!-- wrong on purpose -->``
    is an invalid configuration. Every other configuration is valid
``<!-- typed -->``
    contains ``$ modelmesh …`` or ``$ python …`` commands, each with its output
``<!-- second terminal -->``
    contains one ``$ python …`` command that runs until the end of the page, with its ``export`` lines applied. ``$ modelmesh serve``
    gets a free port instead of 8080
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

from modelmesh._engine.config import MeshConfig
from modelmesh._engine.config.load import load_text
from modelmesh._engine.plugins import CONNECTOR_REGISTRY, catalog
from modelmesh_cdk.testing import Upstream

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
FENCE = re.compile(
    r"(?:^<!-- (?P<mark>file|not run): (?P<said>[^\n]*?) -->\n)?(?P<note>^<!-- (?:wrong on purpose|typed|second terminal) -->\n)?"
    r"^```(?P<language>\w+)\n(?P<code>.*?)^```$(?:\n+^```text\n(?P<output>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)
VARYING = (
    (re.compile(r"\b\d+ (?:d|h|min|s)(?: \d+ (?:h|min|s))? \(until [^)]*\)"), "N s"),
    (re.compile(r"\b\d+ (?:d|h|min)(?: \d+ (?:h|min|s))?\b"), "N s"),
    (re.compile(r"\b\d+(\.\d+)? (?:ms|s)\b"), "N s"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"req-[0-9a-f]{16}"), "req-ID"),
    (re.compile(r"\bmm-[0-9A-Za-z_-]+"), "mm-TOKEN"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC\b"), "TIME UTC"),
)
"""Parts of outputs that differ from run to run: times, ports and random numbers."""


@frozen
class Block:
    page: Path
    line: int
    language: str
    code: str
    mark: str | None
    said: str
    note: str
    output: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(DOCS)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    found = []
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start("code")) + 1
        said, output = (match["said"] or "").strip(), match["output"] or ""
        found.append(Block(page, line, match["language"], match["code"], match["mark"], said, match["note"] or "", output))
    return found


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
WITH_PYTHON = sorted({block.page for block in BLOCKS if block.language == "python"})
CONFIGURATIONS = [block for block in BLOCKS if block.language == "yaml" and "wrong" not in block.note]


def steady(text: str) -> str:
    for varying, word in VARYING:
        text = varying.sub(word, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory for one page. Changes of the process by its blocks are reverted."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    environment, registered, modules = dict(os.environ), dict(CONNECTOR_REGISTRY), set(sys.modules)
    imported = {name: sys.modules.pop(name) for name in modules if name.startswith("modelmesh_connector_")}
    yield tmp_path
    os.environ.clear()
    os.environ.update(environment)
    CONNECTOR_REGISTRY.clear()
    CONNECTOR_REGISTRY.update(registered)
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]
    sys.modules.update(imported)


def test_pages_have_blocks_to_run() -> None:
    assert len(WITH_PYTHON) >= 8
    assert sum(block.language == "python" and block.mark is None for block in BLOCKS) >= 30


@pytest.mark.parametrize("page", WITH_PYTHON, ids=[str(page.relative_to(DOCS)) for page in WITH_PYTHON])
def test_page_blocks_print_their_output(page: Path, sandbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for needed in re.findall(r"^<!-- needs: (\w+) -->$", page.read_text("utf-8"), re.MULTILINE):
        pytest.importorskip(needed)
    hide(re.findall(r"^<!-- without: (\w+) -->$", page.read_text("utf-8"), re.MULTILINE), monkeypatch)
    scope: dict[str, object] = {"__name__": "__main__"}
    with contextlib.ExitStack() as terminals:
        for block in blocks_of(page):
            if block.mark == "file":
                put(block, sandbox, monkeypatch)
            elif block.mark is None and block.language == "python":
                printed = run(block, scope, os.environ.get("MODELMESH_DOCS_PORT", "8080"))
                assert steady(printed) == steady(block.output), f"{block} prints\n{printed}"
            elif "second terminal" in block.note:
                terminals.enter_context(second_terminal(block, sandbox))
            elif "typed" in block.note:
                typed(block, sandbox)


def hide(packages: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide connectors during a page."""

    left = [one for one in catalog.read_entry_points() if one.module not in packages]
    if packages:
        monkeypatch.setattr(catalog, "read_entry_points", lambda: left)
        monkeypatch.setattr(catalog, "_scanned", None)


def run(block: Block, scope: dict[str, object], port: str = "8080") -> str:
    printed = io.StringIO()
    text = block.code.replace("http://localhost:8080", f"http://127.0.0.1:{port}")
    code = compile("\n" * (block.line - 1) + text, str(block.page), "exec", dont_inherit=True)
    with contextlib.redirect_stdout(printed):
        exec(code, scope)
    return printed.getvalue()


def put(block: Block, sandbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = sandbox / block.said
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(block.code, "utf-8")
    file.chmod(0o600)
    if file.name == "pyproject.toml":
        project = tomllib.loads(block.code)["project"]
        source = sandbox / "src"
        metadata = source / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        metadata.mkdir(parents=True)
        facts = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        metadata.joinpath("METADATA").write_text(facts, "utf-8")
        groups = (
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
            for group, points in project["entry-points"].items()
        )
        metadata.joinpath("entry_points.txt").write_text("\n".join(groups), "utf-8")
        monkeypatch.syspath_prepend(source)
    importlib.invalidate_caches()


def command_of(block: Block, command: str) -> list[str]:
    name, *arguments = shlex.split(command)
    assert name in ("modelmesh", "python"), f"{block}: only modelmesh and python are run, not {name}"
    return [sys.executable, *(["-m", "modelmesh.cli"] if name == "modelmesh" else []), *arguments]


def typed(block: Block, sandbox: Path) -> None:
    """Run ``$ modelmesh …`` and ``$ python …`` commands and compare their outputs."""
    for entry in block.code.split("$ ")[1:]:
        command, _, output = entry.partition("\n")
        environment = {**os.environ, "PYTHONPATH": str(sandbox / "src"), "COLUMNS": "160", "NO_COLOR": "1"}
        done = subprocess.run(
            command_of(block, command),
            cwd=sandbox, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert steady(done.stdout) == steady(output), f"{block} prints\n{done.stdout}"


@contextlib.contextmanager
def second_terminal(block: Block, sandbox: Path) -> Iterator[None]:
    """Run a command until the end of the page, and apply its ``export`` lines to this process."""
    command, _, output = block.code.removeprefix("$ ").partition("\n")
    if command.startswith("modelmesh serve"):
        with served(command_of(block, command), sandbox) as os.environ["MODELMESH_DOCS_PORT"]:
            yield
        return
    process = subprocess.Popen(command_of(block, command), cwd=sandbox, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        printed = [process.stdout.readline() for _ in output.splitlines()]
        assert steady("".join(printed)) == steady(output), f"{block} prints\n{''.join(printed)}"
        for line in printed:
            os.environ.update(word.split("=", 1) for word in shlex.split(line)[1:])
        yield
    finally:
        process.terminate()
        process.communicate()


@contextlib.contextmanager
def served(command: list[str], sandbox: Path) -> Iterator[str]:
    """Run a proxy on a free port, and return the port once the proxy answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    log = sandbox / "proxy.log"
    with log.open("w") as file:
        process = subprocess.Popen([*command, "--port", port], cwd=sandbox, stderr=file)
    try:
        for _ in range(300):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                break
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.communicate()


@pytest.mark.parametrize("block", CONFIGURATIONS, ids=str)
def test_page_configuration_is_valid(block: Block) -> None:
    data, places = load_text(block.code, str(block))
    assert MeshConfig(data, places).validate() == []


def test_readme_blocks_run(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", upstream.url)
    scope: dict[str, object] = {"__name__": "__main__"}
    printed = [run(block, scope) for block in blocks_of(DOCS.parent / "README.md") if block.language == "python"]
    assert "Hello!" in "".join(printed)
    scope["client"].close()  # type: ignore[attr-defined]


def test_pages_have_few_blocks_not_run() -> None:
    kept_back = [block for block in BLOCKS if block.mark == "not run"]
    assert len(kept_back) <= 3, [str(block) for block in kept_back]
    for block in kept_back:
        assert "real keys" in block.said, f"{block}: {block.said!r} is not a reason"
        compile(block.code, str(block), "exec")


def test_pages_every_python_block_is_found() -> None:
    """The pattern above must find every fence."""
    for page in PAGES:
        fences = re.findall(r"^\s*```python", page.read_text("utf-8"), re.MULTILINE)
        assert len(fences) == sum(block.language == "python" for block in blocks_of(page)), page


def test_page_with_wrong_output_fails(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text('```python\nprint("took 3 ms")\n```\n\n```text\ntook 4 ms\n```\n\n```python\nprint("unsaid")\n```\n', "utf-8")
    said, unsaid = blocks_of(page)
    assert steady(run(said, {})) == steady(said.output)
    assert steady(run(unsaid, {})) != steady(unsaid.output)

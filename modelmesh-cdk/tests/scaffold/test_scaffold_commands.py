"""Command line of ``modelmesh new``."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

import click

from modelmesh.cli.root import root
from modelmesh_cdk.scaffold import commands
from modelmesh_cdk.scaffold.rendering import templates

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"
KINDS = list(templates())


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run a command in an empty folder, which is ``typed.here``."""
    from click.testing import CliRunner

    apart = "mix_stderr" in inspect.signature(CliRunner).parameters  # click 8.1 only, later versions always separate the two
    runner = CliRunner(mix_stderr=False) if apart else CliRunner()
    monkeypatch.chdir(tmp_path)

    def typed(*arguments: str) -> Any:
        return runner.invoke(root, ["new", *arguments], prog_name="modelmesh")

    typed.here = tmp_path  # type: ignore[attr-defined]
    return typed


@pytest.mark.parametrize("kind", KINDS)
def test_new_prints_files_and_next_commands(kind: str, typed: Any) -> None:
    result = typed(kind, "acme")
    assert (result.exit_code, result.stderr) == (0, "")
    distribution = f"{templates()[kind].prefix}-acme"
    folder = typed.here / distribution
    listed = re.findall(r"^  ([\w./-]+)$", result.stdout.partition("Type next:")[0], re.MULTILINE)
    assert sorted(listed) == sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    after = result.stdout.partition("Type next:\n")[2].splitlines()
    assert after[:3] == [f"  cd {distribution}", "  python -m pip install -e '.[test]'", "  python -m pytest"]
    assert list(typed.here.iterdir()) == [folder]


def test_new_path_may_contain_a_space(typed: Any) -> None:
    result = typed("strategy", "acme", "--path", "some where/mine")
    assert result.exit_code == 0
    assert (typed.here / "some where" / "mine" / "pyproject.toml").is_file()
    assert "  cd 'some where/mine'\n" in result.stdout


def test_new_provider_uses_every_option(typed: Any) -> None:
    said = ("--id", "acme.cloud.v3", "--variable", "ACME_TOKEN", "--base-url", "https://llm.acme.example/v9")
    assert typed("provider", "acme", *said, "--license", "MIT", "--dialect", "openai").exit_code == 0
    source = next(typed.here.rglob("provider.py")).read_text("utf-8")
    for word in ("acme.cloud.v3", "ACME_TOKEN", "https://llm.acme.example/v9"):
        assert f'"{word}"' in source
    assert 'license = "MIT"' in next(typed.here.rglob("pyproject.toml")).read_text("utf-8")


def test_new_overwrites_nothing(typed: Any) -> None:
    assert typed("strategy", "acme").exit_code == 0
    mine = typed.here / "modelmesh-strategy-acme" / "README.md"
    mine.write_text("mine")
    result = typed("strategy", "acme")
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.match(r"error: .*modelmesh-strategy-acme is not empty, .*--path FOLDER\n$", result.stderr)
    assert mine.read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("provider", "Acme_AI"), ("Invalid value for NAME", "lower-case letters", "Try: acme-ai")),
        (("provider", "openai"), ("Invalid value for NAME", "pip install modelmesh-connector-openai")),
        (("provider", "acme", "--id", "acme"), ("Invalid value for --id", "groq.api.v1")),
        (("provider", "acme", "--base-url", "acme"), ("Invalid value for --base-url",)),
        (("provider", "acme", "--variable", "1"), ("Invalid value for --variable",)),
        (("provider", "acme", "--license", "?"), ("Invalid value for --license", "SPDX")),
        (("provider", "acme", "--dialect", "klingon"), ("--dialect", "openai")),
        (("provider", "acme", "--dialect", "gemini"), ("--dialect", "no base class for gemini's format", "write-a-connector")),
        (("strategy", "acme", "--variable", "X"), ("No such option", "--variable")),
        (
            ("planet", "acme"),
            ("unknown kind 'planet'", "provider, strategy, secret-store, observability, storage, discovery"),
        ),
        (("provider",), ("Missing argument 'NAME'",)),
    ],
)
def test_new_with_bad_usage_writes_nothing(arguments: tuple[str, ...], words: tuple[str, ...], typed: Any) -> None:
    result = typed(*arguments)
    assert result.exit_code == 2
    for word in words:
        assert word in " ".join(result.stderr.split())
    assert list(typed.here.iterdir()) == []


def test_new_help_lists_kinds_and_examples(typed: Any) -> None:
    shown = typed("--help").stdout
    for kind, template in templates().items():
        assert re.search(rf"^  {kind} +{re.escape(template.summary)}$", shown, re.MULTILINE)
    assert "Examples:\n    modelmesh new provider acme" in shown


@pytest.mark.parametrize("kind", KINDS)
def test_new_kind_help_lists_options(kind: str, typed: Any) -> None:
    shown = typed(kind, "--help").stdout
    wanted = {"--id", "--path", "--license", *(f"--{name.replace('_', '-')}" for name in templates()[kind].options)}
    assert set(re.findall(r"^  (--[a-z-]+)", shown, re.MULTILINE)) == wanted
    assert f"NAME.{templates()[kind].service}.v1" in shown
    assert f"Examples:\n    modelmesh new {kind} acme" in shown


def test_new_error_names_the_option() -> None:
    made = commands.command_for(templates()["provider"])
    assert {"id", "variable", "base-url", "license"} <= {name.lstrip("-") for one in made.params for name in one.opts}


def test_cli_reference_lists_kinds_and_options() -> None:
    if not PAGE.is_file():
        pytest.skip("the documentation is not part of a source distribution")
    section = PAGE.read_text("utf-8").partition("\n## modelmesh new\n")[2].partition("\n## ")[0]
    options = {
        name
        for template in templates().values()
        for one in commands.command_for(template).params
        if isinstance(one, click.Option)
        for name in one.opts
    }
    assert set(re.findall(r"^\| `(--[a-z-]+)", section, re.MULTILINE)) == options
    assert re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE) == KINDS


def test_cli_help_imports_no_template_code(tmp_path: Path) -> None:
    code = "import sys; from modelmesh.cli import main\ntry: main(['--help'])\nexcept SystemExit: print(sorted(sys.modules))"
    environment = {**os.environ, "MODELMESH_DISABLE_PLUGINS": "local"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, cwd=tmp_path)
    listed = done.stdout.splitlines()[-1]
    loaded = set(re.findall(r"'(modelmesh_cdk[\w.]*)'", listed))
    assert loaded == {"modelmesh_cdk", "modelmesh_cdk.version", "modelmesh_cdk.scaffold", "modelmesh_cdk.scaffold.commands"}
    assert "'httpx2'" not in listed

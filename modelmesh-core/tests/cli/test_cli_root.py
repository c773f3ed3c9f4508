"""``modelmesh`` itself: start-up, plugins, and how commands end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

import modelmesh
from modelmesh.cli import MISSING
from modelmesh.cli.root import BUILT_IN

BLOCK = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {name!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name={name!r})
sys.meta_path.insert(0, Blocked())
"""


def test_version_option(invoke):
    result = invoke("--version")
    assert (result.exit_code, result.output) == (0, f"modelmesh {modelmesh.__version__}\n")


def test_help_lists_every_command(invoke):
    result = invoke("--help")
    assert result.exit_code == 0
    for name in BUILT_IN:
        assert f"\n  {name} " in result.output


@pytest.mark.parametrize("arguments", [(), ("local",)])
def test_no_command_is_help_on_standard_error(invoke, arguments):
    result = invoke(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("Usage: ") == 1
    assert "error: " not in result.stderr


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_command_has_help_with_examples(invoke, name):
    result = invoke(name, "--help")
    assert result.exit_code == 0
    assert f"Examples:\n    modelmesh {name}" in result.output


@pytest.mark.parametrize("package", ["click", "rich"])
def test_missing_extra_is_one_line_with_the_command(run, tmp_path: Path, package):
    (tmp_path / "sitecustomize.py").write_text(BLOCK.format(name=package))
    done = run("--version", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{MISSING}\n")


def _modules_after(code: str, **environment: str) -> set[str]:
    code = f"{code}\nimport sys; print('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, env={**os.environ, **environment}
    )
    return set(done.stderr.splitlines())


def test_package_imports_neither_click_nor_rich():
    modules = _modules_after("import modelmesh.cli")
    assert "modelmesh.cli" in modules
    assert not modules & {"click", "rich"}


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_import_little(argument):
    code = f"from modelmesh.cli import main\ntry: main([{argument!r}])\nexcept SystemExit: pass"
    modules = _modules_after(code, MODELMESH_DISABLE_PLUGINS="local")
    assert "modelmesh.cli.root" in modules
    heavy = {
        "modelmesh._engine.mesh",
        "modelmesh.client",
        "modelmesh_cdk.provider.base",
        "modelmesh_cdk.scaffold.package",
        "httpx",
        "httpx2",
        "http.client",
        "http.server",
        "ruamel.yaml",
    }
    assert not modules & heavy
    assert not [name for name in modules if name.startswith("modelmesh_connector_")]


def test_misspelt_command_gets_a_suggestion(invoke):
    result = invoke("chta")
    assert result.exit_code == 2
    assert "no command 'chta'. Did you mean 'chat'?" in result.stderr


@pytest.mark.parametrize(
    ("name", "package"), [("new", "modelmesh-cdk"), ("serve", "modelmesh-proxy"), ("tokens", "modelmesh-proxy")]
)
def test_command_of_a_missing_package_names_it(invoke, monkeypatch, name, package):
    monkeypatch.setenv("MODELMESH_DISABLE_PLUGINS", name)
    result = invoke(name, "anything")
    assert result.exit_code == 2
    assert f"pip install {package}\n" in result.stderr


# -- plugins ------------------------------------------------------------------------------------------------------------

GREET = """
import click
from modelmesh.hooks import hookimpl
from modelmesh.errors import BadRequestError, ModelMeshError
from modelmesh._engine.foundation.attempts import Attempt

@click.command()
def greet():
    "Say hello."
    click.echo("hello")

@click.command()
def fail():
    error = BadRequestError("it did not work\\x1b[2J\\nsecond line", attempts=(Attempt(1, "acme", "m1", failure="caller", status=400),))
    error.add_note("a note")
    raise error

@click.command()
def interrupt():
    raise KeyboardInterrupt

@hookimpl
def modelmesh_cli_commands():
    return [greet, fail, interrupt]
"""


@pytest.mark.parametrize("group", ["modelmesh.plugins", "modelmesh.commands"])
def test_plugin_adds_a_command(invoke, site, group):
    site.install("acme-cli", "acme_cli", GREET, {group: {"acme": "acme_cli"}})
    assert "Say hello." in invoke("--help").output
    assert invoke("greet").output == "hello\n"


BROKEN = {
    "cannot be imported": "raise RuntimeError('boom')",
    "raises when asked": "from modelmesh.hooks import hookimpl\n@hookimpl\ndef modelmesh_cli_commands():\n    raise RuntimeError('boom')",
    "returns no commands": "from modelmesh.hooks import hookimpl\n@hookimpl\ndef modelmesh_cli_commands():\n    return ['boom']",
    "takes a name": (
        "import click\nfrom modelmesh.hooks import hookimpl\n@click.command('chat')\ndef boom(): ...\n"
        "@hookimpl\ndef modelmesh_cli_commands():\n    return [boom]"
    ),
}


@pytest.mark.parametrize("source", BROKEN.values(), ids=BROKEN)
def test_broken_plugin_is_one_line_on_stderr(invoke, site, source):
    site.install("acme-cli", "acme_cli", GREET, {"modelmesh.commands": {"acme": "acme_cli"}})
    site.install("bad-cli", "bad_cli", source, {"modelmesh.commands": {"bad": "bad_cli"}})
    result = invoke("greet")
    assert (result.exit_code, result.stdout) == (0, "hello\n")
    lines = [line for line in result.stderr.splitlines() if "bad" in line]
    assert len(lines) == 1
    assert lines[0].startswith("note: ")
    assert "left out" in lines[0]
    assert "Send a prompt" in invoke("--help").stdout


def test_broken_plugin_does_not_affect_built_in_commands(run, site):
    site.install("bad-cli", "bad_cli", "raise RuntimeError('boom')", {"modelmesh.commands": {"bad": "bad_cli"}})
    done = run("capabilities", "speech")
    assert (done.returncode, done.stderr) == (0, "")


# -- how commands end ---------------------------------------------------------------------------------------------------


@pytest.fixture
def acme(site):
    site.install("acme-cli", "acme_cli", GREET, {"modelmesh.commands": {"acme": "acme_cli"}})


@pytest.mark.usefixtures("acme")
def test_error_shows_message_notes_and_attempts(invoke):
    result = invoke("fail")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: it did not work[2J\nsecond line\na note\nTried:\n  acme/m1: invalid request (400)\n"


@pytest.mark.usefixtures("acme")
def test_debug_shows_the_traceback(invoke):
    result = invoke("--debug", "fail")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert "BadRequestError: it did not work" in result.stderr


@pytest.mark.usefixtures("acme")
def test_interrupt_exits_with_130(invoke):
    assert invoke("interrupt").exit_code == 130


@pytest.mark.skipif(not hasattr(os, "fork"), reason="pipes of this kind are POSIX's")
def test_closed_pipe_is_not_an_error():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        process = subprocess.Popen(
            [sys.executable, "-m", "modelmesh.cli", "capabilities"], stdout=gone, stderr=subprocess.PIPE, text=True
        )
        _, message = process.communicate(timeout=60)
    assert message == ""
    assert process.returncode == 1


def test_unencodable_output_does_not_end_the_program(run):
    done = run("capabilities", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "chat-completion" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="shells redirect so on POSIX")
@pytest.mark.parametrize(
    ("where", "message"), [(">&-", "standard output is closed"), (">/dev/full", "standard output cannot be written")]
)
@pytest.mark.parametrize("command", ["capabilities", "--help", "--version"])
def test_unwritable_output_is_one_line_and_exit_code_1(where, message, command):
    if "full" in where and not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    shell = f"'{sys.executable}' -m modelmesh.cli {command} {where}"
    done = subprocess.run(["sh", "-c", shell], stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {message}")
    assert len(done.stderr.splitlines()) == 1


def test_usage_errors_look_like_other_errors(run):
    done = run("chta")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: there is no command 'chta'.")

"""The reference of the command line names every option of ``serve`` and ``tokens``, and none that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from modelmesh_proxy.cli import serve, tokens

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not part of a source distribution")


@pytest.mark.parametrize("command", [serve.command, tokens.command], ids=["serve", "tokens"])
def test_the_reference_and_the_options_agree(command: click.Command) -> None:
    section = PAGE.read_text("utf-8").split(f"\n## modelmesh {command.name}\n")[1].split("\n## ", 1)[0]
    every = [command, *(command.commands.values() if isinstance(command, click.Group) else ())]
    parameters = [one for each in every for one in each.params if isinstance(one, click.Option)]
    known = {text for one in parameters for text in (*one.opts, *one.secondary_opts)} | {"--help"}
    assert {text for text in known if text.startswith("--")} - {"--help"} == set(re.findall(r"--[a-z][a-z-]+", section)) - {
        "--help"
    }

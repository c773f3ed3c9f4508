"""The reference page names every command, argument and option there is, and none that there is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

import click

from modelmesh.cli.root import BUILT_IN, root

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"
OF_PLUGINS = ("new", "serve", "tokens")
"""Commands of other packages that have a section, which the tests of those packages compare with what there is."""

pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not part of a source distribution")


def section(name: str) -> str:
    """Return the section of one command."""
    parts = PAGE.read_text("utf-8").split(f"\n## modelmesh {name}\n")
    assert len(parts) == 2, f"docs/reference/cli.md has no section 'modelmesh {name}'"
    return parts[1].split("\n## ", 1)[0]


def command(name: str):
    return root.get_command(click.Context(root), name)


def options(name: str) -> set[str]:
    """Return the options of a command and of its subcommands."""
    found = command(name)
    every = [found, *(found.commands.values() if isinstance(found, click.Group) else ())]
    parameters = (parameter for one in every for parameter in one.params)
    return {text for parameter in parameters if isinstance(parameter, click.Option) for text in parameter.opts}


@pytest.mark.parametrize("name", BUILT_IN)
def test_reference_lists_every_option_of_a_command(name):
    text = section(name)
    missing = [option for option in options(name) if option.startswith("--") and f"`{option}" not in text]
    assert not missing


@pytest.mark.parametrize("name", BUILT_IN)
def test_reference_lists_every_argument(name):
    arguments = [parameter for parameter in command(name).params if isinstance(parameter, click.Argument)]
    missing = [
        argument.name
        for argument in arguments
        if f"`modelmesh {name} [{argument.name.upper()}]`" not in section(name)
        and f"`modelmesh {name} {argument.name.upper()}`" not in section(name)
    ]
    assert not missing


@pytest.mark.parametrize("name", BUILT_IN)
def test_reference_has_an_example_for_each_command(name):
    assert re.search(rf"```console\n\$ modelmesh {name}\b.*\n(?!\$|```)", section(name))


def test_reference_lists_group_options_and_short_forms():
    text = PAGE.read_text("utf-8")
    everywhere = {text for parameter in root.params for text in parameter.opts} | {"-h", "--help"}
    for name in BUILT_IN:
        everywhere |= options(name)
    assert not [option for option in everywhere if f"`{option}" not in text]


def test_reference_names_only_existing_options():
    known = {text for parameter in root.params for text in parameter.opts} | {"--help"}
    for name in BUILT_IN:
        known |= options(name)
    text = PAGE.read_text("utf-8")
    for name in (*OF_PLUGINS, "local"):  # the connectors of local models test their own section
        text = text.replace(section(name), "")
    named = set(re.findall(r"`(--[a-z-]+)", text))
    assert named <= known


def test_reference_lists_commands_in_order_of_the_help():
    listed = re.findall(r"^\| \[`(\w+)`\]", PAGE.read_text("utf-8"), re.MULTILINE)
    assert tuple(listed) == (*BUILT_IN, *OF_PLUGINS)

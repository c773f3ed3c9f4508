"""The reference pages name every public key, field, error, hook, package and ID."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest
from attrs import fields, has

from modelmesh import errors
from modelmesh._engine.config import normalize, normalize_sinks, not_enforced, reader, schema
from modelmesh._engine.create import create
from modelmesh._engine.plugins import aliases, catalog, hookspecs
from modelmesh._engine.plugins.validation import REQUIRED
from modelmesh.client import MeshClient, OpenAIClient
from modelmesh.client.parameters import OPTION_NAMES
from modelmesh.contracts import RULES, Kind, observability

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SECTIONS = [cls for name, cls in vars(schema).items() if name.endswith("Section") and not name.startswith("_")]
RECORDS = [cls for cls in vars(observability).values() if isinstance(cls, type) and has(cls)]
ERRORS = [name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, errors.ModelMeshError)]
HOOKS = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("modelmesh_")}


def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def part(text: str, name: str) -> str:
    found = re.search(rf"<!-- begin: {name} -->\n(.*?)<!-- end: {name} -->", text, re.DOTALL)
    assert found, f"no part {name}"
    return found[1]


def named(text: str) -> set[str]:
    """Every word in backticks, alone or in a longer piece of code."""
    return {word for code in re.findall(r"`([^`\n]+)`", text) for word in re.findall(r"[\w.-]+", code)}


def test_strategies_page_has_every_strategy_and_chart() -> None:
    text = page("reference/strategies.md")
    installed = [
        one.name for one in catalog.Catalog.scan().all() if one.kind is Kind.STRATEGY and one.name.startswith("modelmesh.")
    ]
    assert len(installed) >= 3
    for name in installed:
        short = name.split(".")[1]
        section = text.partition(f"\n## {short}\n")[2].partition("\n## ")[0]
        assert f"`{name}`" in section
        assert "Reason: `" in section
        assert set("░▒▓█") & set(part(section, f"spread of {short.replace('-', '_')}"))
        assert f"[{short}](#{short})" in text


def test_failure_page_has_every_failure_class() -> None:
    table = part(page("explanation/what-happens-when-a-provider-fails.md"), "classes")
    assert re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE) == [kind.value for kind in RULES]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda cls: cls.__name__)
def test_configuration_page_has_every_key(section: type) -> None:
    table = part(page("reference/configuration.md"), section.__name__)
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [field.name for field in fields(section)]


def test_configuration_page_has_every_section_and_alias() -> None:
    words = named(page("reference/configuration.md"))
    spellings = [*normalize.KEY_ALIASES, *normalize.POOL_ALIASES, *normalize_sinks.OBSERVABILITY_ALIASES]
    spellings += [f"{section}.{alias}" for section, known in normalize.SECTION_ALIASES.items() for alias in known]
    for name in (*reader.SECTIONS, *spellings):
        assert name in words, name
    assert any(alias in words and real in words for alias, real in aliases.ID_ALIASES.items())


def test_configuration_page_lists_keys_without_effect() -> None:
    text = page("reference/configuration.md").partition("## Keys without effect")[2]
    keys = [step for path in (*not_enforced.PROVIDER_KEYS, *not_enforced.AUTH_KEYS, *not_enforced.MODEL_KEYS) for step in path]
    for name in ("connectors", *keys):
        if name in ("quota", "discovery", "constraints"):
            continue
        assert f"`{name}`" in text or f".{name}`" in text, name


@pytest.mark.parametrize("record", RECORDS, ids=lambda cls: cls.__name__)
def test_records_page_has_every_field(record: type) -> None:
    table = part(page("reference/observability-records.md"), record.__name__)
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [field.name for field in fields(record)]


@pytest.mark.parametrize("event_type", observability.EVENT_TYPES)
def test_records_page_has_every_event_type(event_type: str) -> None:
    assert f"`{event_type}`" in page("reference/observability-records.md")


@pytest.mark.parametrize("name", ERRORS)
def test_python_page_has_every_error(name: str) -> None:
    assert name in named(page("reference/python.md"))


def test_python_page_has_every_argument() -> None:
    words = named(page("reference/python.md"))
    for name in (*inspect.signature(create).parameters, *OPTION_NAMES, "extra_body"):
        assert name in words, name


@pytest.mark.parametrize("client", [MeshClient, OpenAIClient])
def test_python_page_has_every_client_member(client: type) -> None:
    words = named(page("reference/python.md"))
    public = {name for name in dir(client) if not name.startswith("_")} - {"aclose"}
    assert {name for name in public | {"chat.completions.create", "models.list"} if name not in words} == set()


@pytest.mark.parametrize("name", HOOKS)
def test_packages_page_has_every_hook_signature(name: str) -> None:
    arguments = ", ".join(inspect.signature(HOOKS[name]).parameters)
    assert f"`{name}({arguments})`" in page("reference/packages.md")


def test_packages_page_has_every_entry_point_group() -> None:
    text = page("reference/packages.md")
    for kind in Kind:
        required = ", ".join(f"`{method}`" for method in REQUIRED[kind])
        assert f"| `{kind.group}` | ID | a class with {required} |" in text
    for group in (catalog.AUTODETECT, catalog.EMBEDDED, catalog.PLUGINS, catalog.COMMANDS):
        assert f"| `{group}` |" in text


def test_packages_page_has_every_package_and_id() -> None:
    found = catalog.Catalog.scan()
    words = named(page("reference/packages.md"))
    ours = [one for one in found.all() if one.distribution.startswith("modelmesh-")]
    assert len(ours) >= 10
    for one in ours:
        assert one.name in words, one.name
        assert one.distribution.split()[0] in words, one.distribution


def test_hooks_page_names_every_hook() -> None:
    from modelmesh_cdk.provider.declared_hooks import HOOKS

    assert named(page("reference/connector-hooks.md")) >= HOOKS
    assert "_configured_models" not in HOOKS


@pytest.mark.parametrize("module", ["serve", "tokens"])
def test_cli_page_has_every_option_of_the_proxy(module: str) -> None:
    command = importlib.import_module(f"modelmesh_proxy.cli.{module}").command
    text = page("reference/cli.md").partition(f"## modelmesh {module}\n")[2].partition("\n## ")[0]
    commands = getattr(command, "commands", {"": command})
    assert all(f"modelmesh tokens {name} " in text for name in commands if name)
    options = {option for one in commands.values() for part in one.params for option in (*part.opts, *part.secondary_opts)}
    missing = {option for option in options if option.startswith("--") and not re.search(rf"`{option}\b", text)}
    assert not missing

"""Scaffolded packages: their tests pass, their README is correct, and linters report nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from modelmesh._engine.config import MeshConfig
from modelmesh._engine.config.load import load_text
from modelmesh._engine.plugins.catalog import AUTODETECT
from modelmesh_cdk.scaffold.package import Package, plan
from modelmesh_cdk.scaffold.rendering import fill, import_line, kit_range, templates
from modelmesh_cdk.scaffold.writing import write
from modelmesh_cdk.testing import Upstream

DAY = date(2026, 11, 21)
KINDS = list(templates())
PLACEHOLDER = re.compile(r"[«»]|PACKAGE|dot_|\.tmpl")
LINT = ("--select", "ALL", "--ignore", "D203,D213,COM812,CPY001,INP001,ARG002,S101,TC")
"""All rules except those that contradict another rule or the layout, and unused arguments of a protocol."""


def made(kind: str, name: str = "acme", **said: Any) -> Package:
    return plan(templates()[kind], name, today=DAY, **said)


def project(package: Package) -> dict[str, Any]:
    return tomllib.loads(package.files["pyproject.toml"])["project"]


def install(package: Package, folder: Path) -> None:
    """Write a package and the metadata that an installer would write."""
    write(package.files, folder)
    facts = project(package)
    info = folder / "src" / f"{facts['name'].replace('-', '_')}-{facts['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {facts['name']}\nVersion: {facts['version']}\n", "utf-8")
    lines = [
        line
        for group, points in facts["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines), "utf-8")


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    plugins = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "modelmesh_cdk.pytest_plugin"}  # others start slowly
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1", **plugins, **variables}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_templates_include_all_kinds() -> None:
    assert {"provider", "strategy", "secret-store", "observability", "storage", "discovery"} <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_package_passes_its_tests(kind: str, tmp_path: Path) -> None:
    package = made(kind)
    install(package, tmp_path / "package")
    done = run(tmp_path / "package", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"^(\d+) passed", done.stdout, re.MULTILINE)
    assert passed, done.stdout
    assert int(passed[1]) >= 5
    assert "no installed distribution" not in done.stdout, "the ID was not compared with the entry point"


def test_package_named_test_passes_its_tests(tmp_path: Path) -> None:
    """pytest would collect a class ``TestLabStrategy``, which has an ``__init__``."""
    install(made("strategy", "test-lab"), tmp_path / "package")
    done = run(tmp_path / "package", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_package_with_wrong_id_fails_its_tests(kind: str, tmp_path: Path) -> None:
    """The tests of a package detect a fault."""
    package = made(kind)
    install(package, tmp_path / "package")
    [source] = (tmp_path / "package" / "src").rglob(f"{package.template.module}.py")
    source.write_text(source.read_text("utf-8").replace(package.connector_id, "acme.another.v1"), "utf-8")
    done = run(tmp_path / "package", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "test_id")
    assert "test_id_equals_entry_point_name" in done.stdout
    assert done.returncode == 1


@pytest.mark.parametrize("kind", KINDS)
def test_package_names_agree(kind: str) -> None:
    package, template = made(kind), templates()[kind]
    facts = project(package)
    cls = facts["entry-points"][template.kind.group][package.connector_id]
    module, _, name = cls.partition(":")
    assert facts["name"] == package.distribution == f"{template.prefix}-acme"
    assert module == package.distribution.replace("-", "_")
    assert f"class {name}(" in package.files[f"src/{module}/{template.module}.py"]
    assert f'"""{facts["description"]}"""' in package.files[f"src/{module}/__init__.py"]
    assert f"modelmesh-cdk{kit_range()}" in facts["dependencies"]
    assert facts["optional-dependencies"]["test"] == [f"modelmesh-cdk[testing]{kit_range()}"]
    wanted = {
        "README.md",
        ".gitignore",
        ".github/workflows/tests.yml",
        f"src/{module}/py.typed",
        "tests/test_acme_conformance.py",
    }
    assert wanted <= set(package.files)


@pytest.mark.parametrize("kind", KINDS)
def test_package_has_no_open_placeholder(kind: str) -> None:
    package = made(kind)
    for path, text in package.files.items():
        assert not PLACEHOLDER.search(path)
        assert not PLACEHOLDER.search(text), path
        assert text == "" or (text.endswith("\n") and not text.endswith("\n\n")), path
        assert not re.search(r"[ \t]$", text, re.MULTILINE), path
    assert any("REPLACE" in text for path, text in package.files.items() if path.startswith("src/"))


@pytest.mark.parametrize("kind", KINDS)
def test_readme_configuration_is_valid(kind: str) -> None:
    readme = made(kind).files["README.md"]
    blocks = re.findall(r"^```yaml\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        assert made(kind).connector_id in block
        data, places = load_text(block, "README.md")
        assert MeshConfig(data, places).validate() == []


def test_provider_readme_example_runs(tmp_path: Path) -> None:
    package = made("provider", variable="ACME_TOKEN")
    install(package, tmp_path / "package")
    [code] = re.findall(r"^```python\n(.*?)^```$", package.files["README.md"], re.MULTILINE | re.DOTALL)
    with Upstream() as acme:
        done = run(tmp_path / "package", "-c", code, ACME_TOKEN="test", ACME_BASE_URL=acme.url)
        assert (done.stdout, done.returncode) == ("Hello!\n", 0), done.stderr
        assert acme.last.headers["authorization"] == "Bearer test"


def test_storage_readme_example_runs(tmp_path: Path) -> None:
    package = made("storage")
    install(package, tmp_path / "package")
    [code] = re.findall(r"^```python\n(.*?)^```$", package.files["README.md"], re.MULTILINE | re.DOTALL)
    done = run(tmp_path / "package", "-c", code)
    assert (done.stdout, done.returncode) == ("Hello!\n", 0), done.stderr


def test_discovery_readme_example_runs(tmp_path: Path) -> None:
    pytest.importorskip("modelmesh_connector_openai", reason="the example uses OpenAI's connector")
    package = made("discovery")
    install(package, tmp_path / "package")
    [code] = re.findall(r"^```python\n(.*?)^```$", package.files["README.md"], re.MULTILINE | re.DOTALL)
    with Upstream() as vendor:
        done = run(tmp_path / "package", "-c", code, OPENAI_API_KEY="sk-test", OPENAI_BASE_URL=vendor.url)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("()\n"), done.stdout
    assert "provider_id='openai', success=True" in done.stdout


def test_storage_package_keeps_state_of_mesh(tmp_path: Path) -> None:
    package = made("storage")
    install(package, tmp_path / "package")
    code = """
import modelmesh
from modelmesh_cdk.testing.accounts import InProcessAccount
from modelmesh_storage_acme import AcmeStorage

config = {
    "providers": {"here": {"instance": InProcessAccount("model-a")}},
    "pools": {"chat-completion": {}},
    "storage": {"connector": "acme.storage.v1", "path": "kept.db"},
}
with modelmesh.create(config=config) as client:
    client.chat.completions.create(model="chat-completion", messages=[])
print(AcmeStorage({"path": "kept.db"}).list())
"""
    done = run(tmp_path / "package", "-c", code)
    assert (done.stdout, done.returncode) == ("['modelmesh/state']\n", 0), done.stdout + done.stderr


def test_provider_package_uses_given_names() -> None:
    said = {
        "connector_id": "acme.cloud.v2",
        "variable": "ACME_TOKEN",
        "base_url": "https://models.acme.example/openai/v1",
        "license_expression": "Apache-2.0",
    }
    package = made("provider", "acme-cloud", **said)
    facts, source = project(package), package.files["src/modelmesh_connector_acme_cloud/provider.py"]
    assert facts["license"] == "Apache-2.0"
    assert facts["entry-points"]["modelmesh.providers"] == {"acme.cloud.v2": "modelmesh_connector_acme_cloud:AcmeCloudProvider"}
    assert facts["entry-points"][AUTODETECT] == {"ACME_TOKEN": "modelmesh_connector_acme_cloud:AcmeCloudProvider"}
    assert 'id = "acme.cloud.v2"' in source
    assert 'default_base_url = "https://models.acme.example/openai/v1"\n    api_version = "/openai/v1"\n' in source
    assert 'api_key_variable = "ACME_TOKEN"' in source
    assert 'base_url_variable = "ACME_CLOUD_BASE_URL"' in source
    assert "tests/test_acme_cloud_conformance.py" in package.files


@pytest.mark.parametrize("address", ["https://api.acme.example", "https://acme.example/api/openai/v2", "http://127.0.0.1:8000"])
def test_provider_package_passes_with_any_base_url(address: str, tmp_path: Path) -> None:
    install(made("provider", base_url=address), tmp_path / "package")
    done = run(tmp_path / "package", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "url or key or text")
    assert re.search(r"^\d\d+ passed", done.stdout, re.MULTILINE), done.stdout
    assert done.returncode == 0, done.stdout


def test_provider_models_have_date_and_marker() -> None:
    data = json.loads(made("provider").files["src/modelmesh_connector_acme/models.json"])
    assert data["as_of"] == DAY.isoformat()
    assert data["source"].startswith("REPLACE")
    assert [row["id"] for row in data["models"]] == ["REPLACE-with-a-model"]
    assert not [row for row in data["models"] if "pricing" in row or "context_window" in row], "what is unknown is not guessed"


def test_provider_package_has_ten_lines() -> None:
    [source] = (text for path, text in made("provider").files.items() if path.endswith("/provider.py"))
    code = [line for line in source.splitlines() if line.strip() and not line.lstrip().startswith('"""')]
    assert len(code) <= 10


def test_package_has_no_default_license() -> None:
    assert "license" not in project(made("strategy"))
    assert not [path for path in made("strategy").files if path.startswith("LICENSE")]


def test_package_names_no_registry() -> None:
    hosts = re.compile("|".join(("python" + "hosted", "py" + r"pi\.org")))
    assert not [path for kind in KINDS for path, text in made(kind).files.items() if hosts.search(text)]


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of each kind, with a short name and with the longest one."""
    folder = tmp_path_factory.mktemp("village")
    for kind in KINDS:
        for name in (f"acme-{kind}", f"acme-{kind}".ljust(40, "x")):
            package = made(kind, name)
            write(package.files, folder / package.distribution)
    return folder


@pytest.mark.parametrize("arguments", [("check", *LINT), ("check",), ("format", "--check")], ids=["all", "default", "format"])
def test_packages_pass_ruff(arguments: tuple[str, ...], village: Path) -> None:
    pytest.importorskip("ruff")
    for folder in sorted(village.iterdir()):
        command, *rest = arguments
        done = run(folder, "-m", "ruff", command, "--isolated", "--no-cache", *rest)
        assert done.returncode == 0, f"{folder.name}\n{done.stdout}{done.stderr}"


def test_packages_pass_mypy(village: Path, tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    sources = os.pathsep.join(str(folder / "src") for folder in village.iterdir())
    files = [str(file) for file in sorted(village.rglob("*.py"))]
    cache = ("--cache-dir", str(tmp_path / "cache"), "--config-file", os.devnull)
    done = run(tmp_path, "-m", "mypy", "--strict", *cache, *files, MYPYPATH=sources)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"no issues found in {len(files)} source files" in done.stdout


# -- the machinery ----------------------------------------------------------------------------------------------------


def test_fill_with_unknown_placeholder_raises() -> None:
    with pytest.raises(KeyError, match="nonesuch"):
        fill("«nonesuch»", {"name": "acme"})


def test_fill_does_not_expand_values() -> None:
    assert fill("«a»", {"a": "«b»", "b": "x"}) == "«b»"


@pytest.mark.parametrize(("version", "wanted"), [("0.1.0", ">=0.1,<0.2"), ("0.12.3", ">=0.12,<0.13"), ("2.5.1", ">=2.5,<3")])
def test_kit_range_follows_the_version(version: str, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelmesh_cdk.scaffold.rendering.__version__", version)
    assert kit_range() == wanted


def test_import_line_folds_long_imports() -> None:
    assert import_line("a", "B") == "from a import B"
    assert import_line("a" * 80, "B") == f"from {'a' * 80} import (\n    B,\n)"


@pytest.mark.parametrize("kind", KINDS)
def test_plan_is_reproducible(kind: str) -> None:
    first: Mapping[str, str] = made(kind).files
    assert list(first.items()) == list(made(kind).files.items())
    assert list(first) == sorted(first)

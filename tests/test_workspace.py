"""Rules of the workspace: names, entry points, imports, common files and forbidden texts."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from modelmesh._engine.plugins import hookspecs
from modelmesh.capabilities import standard_tree
from modelmesh.contracts import ConnectorId, Kind
from modelmesh_cdk.provider.catalogue import load_catalogue

ROOT = Path(__file__).resolve().parent.parent
KINDS = {
    "connectors": ("connector", "provider.py", Kind.PROVIDER),
    "strategies": ("strategy", "strategy.py", Kind.STRATEGY),
    "secret-stores": ("secret-store", "store.py", Kind.SECRET_STORE),
    "observability": ("observability", "sink.py", Kind.OBSERVABILITY),
    "storage": ("storage", "storage.py", Kind.STORAGE),
    "discovery": ("discovery", "discovery.py", Kind.DISCOVERY),
    "pricing": ("pricing", "source.py", None),
}
HOOKS = "modelmesh.plugins"
FIXED = {"modelmesh-core": "modelmesh", "modelmesh-cdk": "modelmesh_cdk", "modelmesh-proxy": "modelmesh_proxy"}
PLUGINS = sorted(path.parent for kind in KINDS for path in ROOT.glob(f"{kind}/*/pyproject.toml"))
CONNECTORS = [path for path in PLUGINS if KINDS[path.parent.name][2]]
PACKAGES = [ROOT / name for name in FIXED if (ROOT / name).is_dir()] + PLUGINS
CATALOGUES = [package for package in PLUGINS if package.parent.name == "connectors"]
HTTP = {"httpx", "httpx2", "httpcore", "httpcore2", "aiohttp", "requests", "urllib3", "http.client"}


def project(package: Path) -> dict[str, Any]:
    return tomllib.loads((package / "pyproject.toml").read_text("utf-8"))["project"]


def import_name(package: Path) -> str:
    return FIXED.get(package.name) or f"modelmesh_{KINDS[package.parent.name][0]}_{package.name}".replace("-", "_")


def imports_of(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module or "")
    return found


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def ids(packages: list[Path]) -> list[str]:
    return [str(package.relative_to(ROOT)) for package in packages]


def test_workspace_has_packages_to_check() -> None:
    assert len(PACKAGES) >= 11
    assert len(tracked()) > 100


def test_packages_are_members_and_tested() -> None:
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    members, run = workspace["tool"]["uv"]["workspace"]["members"], workspace["tool"]["pytest"]["ini_options"]["testpaths"]
    wanted = {re.split(r"[\[ ]", name)[0] for name in workspace["project"]["dependencies"]}
    for package in PACKAGES:
        where = package.relative_to(ROOT)
        assert any(where.match(member) for member in members), f"{where} is no member"
        assert any((where / "tests").is_relative_to(path) for path in run), f"no test path contains the tests of {where}"
        assert project(package)["name"] in wanted, f"the workspace does not install {where}"


@pytest.mark.parametrize("package", PACKAGES, ids=ids(PACKAGES))
def test_package_names_follow_the_folder(package: Path) -> None:
    if package.name in FIXED:
        assert project(package)["name"] == package.name
    else:
        assert project(package)["name"] == f"modelmesh-{KINDS[package.parent.name][0]}-{package.name}"
    assert (package / "src" / import_name(package) / "__init__.py").is_file()
    assert [
        path.name for path in (package / "src").iterdir() if path.is_dir() and path.name[0] != "." and "egg-info" not in path.name
    ] == [import_name(package)]


@pytest.mark.parametrize("package", PACKAGES, ids=ids(PACKAGES))
def test_package_has_the_common_files(package: Path) -> None:
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        assert (package / name).is_file(), name
    assert (package / "src" / import_name(package) / "py.typed").is_file()
    assert len((package / "README.md").read_text("utf-8").splitlines()) > 10
    assert list((package / "tests").rglob("test_*.py"))
    assert (package / "LICENSE").read_text("utf-8") == (ROOT / "LICENSE").read_text("utf-8")
    if package in PLUGINS:
        assert (package / "src" / import_name(package) / KINDS[package.parent.name][1]).is_file()
    if package.parent.name == "connectors":
        assert (package / "src" / import_name(package) / "models.json").is_file()


@pytest.mark.parametrize("package", PACKAGES, ids=ids(PACKAGES))
def test_package_version_is_static_and_kit_is_pinned(package: Path) -> None:
    facts = project(package)
    assert re.fullmatch(r"\d+\.\d+\.\d+", facts["version"])
    assert "dynamic" not in facts
    assert facts["requires-python"] == ">=3.11"
    if package in CONNECTORS:
        assert "modelmesh-cdk>=0.1,<0.2" in facts["dependencies"]
    elif package in PLUGINS:
        assert "modelmesh-core>=0.1,<0.2" in facts["dependencies"]


@pytest.mark.parametrize("package", CONNECTORS, ids=ids(CONNECTORS))
def test_entry_points_match_the_class(package: Path) -> None:
    kind = KINDS[package.parent.name][2]
    points = project(package)["entry-points"]
    assert points[kind.group]
    for name, value in points[kind.group].items():
        ConnectorId.parse(name)
        module, _, cls = value.partition(":")
        assert getattr(import_module(module), cls).id == name
    for variable, value in points.get("modelmesh.autodetect", {}).items():
        assert value in points[kind.group].values(), variable
        module, _, cls = value.partition(":")
        named = getattr(import_module(module), cls)
        assert variable in (named.api_key_variable, *named.other_key_variables, named.base_url_variable)


@pytest.mark.parametrize("package", CATALOGUES, ids=ids(CATALOGUES))
def test_catalogue_is_dated_and_uses_known_capabilities(package: Path) -> None:
    data = json.loads((package / "src" / import_name(package) / "models.json").read_text("utf-8"))
    assert date.fromisoformat(data["as_of"])
    assert data["source"]
    assert [info.id for info in load_catalogue(import_name(package))] == [row["id"] for row in data["models"]]
    named = {name for row in data["models"] for name in row.get("capabilities", ())}
    assert [name for name in sorted(named) if standard_tree().get_node(name) is None] == []
    priced = [row for row in data["models"] if row.get("pricing")]
    assert all(row["pricing"].get("as_of", data["as_of"]) in (data["as_of"], row.get("as_of")) for row in priced)
    assert all(row["pricing"].get("source", data["source"]) for row in priced)


@pytest.mark.parametrize("package", [path for path in PLUGINS if path not in CONNECTORS], ids=lambda path: path.name)
def test_hook_package_defines_hooks(package: Path) -> None:
    points = project(package)["entry-points"]
    assert list(points) == [HOOKS]
    for name, module in points[HOOKS].items():
        assert name == package.name
        assert [hook for hook in vars(import_module(module)) if hook in vars(hookspecs) and hook.startswith("modelmesh_")]


def test_connector_ids_are_unique() -> None:
    seen: dict[tuple[str, str], str] = {}
    for package in PACKAGES:
        for group, points in project(package).get("entry-points", {}).items():
            if group.startswith("modelmesh.") and group not in ("modelmesh.autodetect", "modelmesh.embedded"):
                for name in points:
                    assert seen.setdefault((group, name), package.name) == package.name


def test_import_name_modelmesh_belongs_to_core() -> None:
    for package in PACKAGES:
        if package.name != "modelmesh-core":
            assert not (package / "src" / "modelmesh").exists()


@pytest.mark.parametrize("folder", ["routing", "health", "limits"])
def test_routing_core_is_pure(folder: str) -> None:
    banned = {"time", "random", "asyncio", "threading", "socket", "logging", "os", "pathlib", "subprocess", *HTTP}
    for file in sorted((ROOT / "modelmesh-core/src/modelmesh/_engine" / folder).glob("*.py")):
        tree = ast.parse(file.read_text("utf-8"))
        assert not {name.partition(".")[0] for name in imports_of(file)} & banned, file.name
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Await | ast.AsyncFunctionDef | ast.AsyncWith)], (
            file.name
        )


def test_import_loads_no_dependency() -> None:
    code = "import modelmesh, sys; print(sorted({m.partition('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    for name in ("attrs", "attr", "cattrs", "ruamel", "pluggy", "click", "rich", "modelmesh_cdk", *sorted(HTTP)):
        assert f"'{name}'" not in loaded, name


def test_create_imports_one_connector() -> None:
    code = (
        "import modelmesh, sys; modelmesh.create('chat-completion', api_keys={'groq': 'test'}); "
        "print([m for m in sys.modules if m.startswith('modelmesh_connector') and '.' not in m])"
    )
    loaded = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "['modelmesh_connector_groq']"


def test_core_has_few_dependencies() -> None:
    names = {re.split(r"[<>=~]", one)[0] for one in project(ROOT / "modelmesh-core")["dependencies"]}
    assert names == {"attrs", "cattrs", "cronsim", "importlib-metadata", "pluggy", "ruamel.yaml"}


def test_files_name_no_registry_machine_or_lock() -> None:
    hosts = re.compile("|".join(("python" + "hosted", "py" + r"pi\.org", "npm" + r"js\.(org|com)", r"deb\.deb" + "ian")))
    paths = re.compile("|".join((r"(?<![\w.])/wo" + "rk/", r"(?<![\w.])/ro" + "ot/")))
    for file in tracked():
        assert file.name != "uv.lock"
        try:
            text = file.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        assert not hosts.search(text), file.relative_to(ROOT)
        assert not paths.search(text), file.relative_to(ROOT)


def test_connectors_are_in_the_published_table() -> None:
    from modelmesh._engine.plugins.known_distributions import distribution_for, variables

    for package in CONNECTORS:
        kind = KINDS[package.parent.name][2]
        for name in project(package)["entry-points"][kind.group]:
            assert distribution_for(name, kind) == project(package)["name"]
        for variable, value in project(package)["entry-points"].get("modelmesh.autodetect", {}).items():
            cls = getattr(import_module(value.partition(":")[0]), value.partition(":")[2])
            assert variables()[variable] == cls.id


def test_facade_exports_the_kit_and_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    import modelmesh.cdk
    import modelmesh.cdk.testing
    import modelmesh_cdk
    import modelmesh_cdk.testing

    assert sorted([*modelmesh.cdk.__all__, "__version__"]) == sorted(modelmesh_cdk.__all__)
    assert sorted(modelmesh.cdk.testing.__all__) == sorted(modelmesh_cdk.testing.__all__)
    for name in modelmesh.cdk.__all__:
        assert getattr(modelmesh.cdk, name) is getattr(modelmesh_cdk, name)
    with pytest.raises(AttributeError):
        _ = modelmesh.cdk.NoSuchName
    facade = import_module("modelmesh.proxy")
    for name in facade.__all__:
        assert getattr(facade, name) is getattr(import_module("modelmesh_proxy"), name)
        vars(facade).pop(name, None)
    monkeypatch.setitem(sys.modules, "modelmesh_proxy", None)
    with pytest.raises(ModuleNotFoundError, match="pip install modelmesh-proxy"):
        _ = facade.ProxyServer

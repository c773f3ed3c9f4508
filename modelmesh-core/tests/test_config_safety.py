"""Safety of configurations: sealed keys, endless and recursive input, damaged installations."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelmesh import MeshConfig, create, register_connector
from modelmesh._engine.config.load import MAX_BYTES
from modelmesh.contracts import Secret
from modelmesh.errors import ConfigurationError, ConnectorError, SecretNotFoundError

CANARY = "canary-0123456789-test"

KEYS: dict[str, dict[str, Any]] = {
    "a provider's key": {"providers": {"a": {"api_key": CANARY}}},
    "in camelCase": {"providers": {"a": {"apiKey": CANARY}}},
    "under config": {"providers": {"a": {"config": {"api_key": CANARY}}}},
    "under auth": {"providers": {"a": {"auth": {"api_key": CANARY}}}},
    "a header": {"providers": {"a": {"headers": {"X-Team": CANARY}}}},
    "an address": {"providers": {"a": {"base_url": f"http://user:{CANARY}@127.0.0.1"}}},
    "a list of accounts": {"providers": [{"name": "a", "api_key": CANARY}]},
    "a store's password": {"storage": {"connector": "redis.redis.v1", "password": CANARY}},
    "a store's address": {"storage": {"connector": "redis.redis.v1", "url": f"redis://:{CANARY}@127.0.0.1"}},
    "a passphrase": {"secrets": {"store": "modelmesh.encrypted-file.v1", "passphrase": CANARY}},
    "an encryption key": {"secrets": {"store": "modelmesh.encrypted-file.v1", "key": CANARY}},
    "secrets in memory": {"secrets": {"store": "modelmesh.memory-secrets.v1", "secrets": {"a": CANARY}}},
    "tokens of the proxy": {"proxy": {"auth": {"tokens": [CANARY]}}},
    "headers of a sink": {"observability": {"webhook": {"headers": {"Authorization": CANARY}}}},
}


def deep(value: Any, seen: set[int]) -> str:
    """Return the text of everything reachable through attributes and items."""
    if id(value) in seen or isinstance(value, Secret):
        return ""
    seen.add(id(value))
    if isinstance(value, dict):
        return " ".join(deep(item, seen) for pair in value.items() for item in pair)
    if isinstance(value, list | tuple | set | frozenset):
        return " ".join(deep(item, seen) for item in value)
    return repr(value) + (deep(vars(value), seen) if hasattr(value, "__dict__") else "")


@pytest.mark.parametrize("case", KEYS)
def test_mesh_config_views_hold_no_key(case: str) -> None:
    config = MeshConfig(KEYS[case])
    config.validate()
    assert CANARY not in repr(config)
    assert CANARY not in deep(config, set())
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(config)
    assert config.raw == KEYS[case]  # the raw data still has the keys


def test_mesh_config_with_references_pickles() -> None:
    config = MeshConfig({"providers": {"a": {"api_key": "${secrets:key}"}}})
    assert pickle.loads(pickle.dumps(config)).raw == config.raw


def test_mesh_config_recursive_dictionary_raises() -> None:
    circle: dict[str, Any] = {}
    circle["options"] = circle
    with pytest.raises(ConfigurationError, match="nested more than 40 deep"):
        create(config={"providers": {"a": circle}})


def test_load_file_endless_file_raises() -> None:
    with pytest.raises(ConfigurationError, match=f"larger than {MAX_BYTES:,} bytes"):
        MeshConfig.from_file("/dev/zero")


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="needs /dev/fd")
def test_load_file_reads_pipe_to_its_end() -> None:
    reader, writer = os.pipe()
    try:
        os.write(writer, b"capabilities: [chat-completion]\n")
        os.close(writer)
        assert MeshConfig.from_file(f"/dev/fd/{reader}").raw == {"capabilities": ["chat-completion"]}
    finally:
        os.close(reader)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_load_file_pipe_without_writer_raises(tmp_path: Path) -> None:
    pipe = tmp_path / "mesh.yaml"
    os.mkfifo(pipe)
    with pytest.raises(ConfigurationError, match="the pipe is empty"):
        MeshConfig.from_file(str(pipe))


@pytest.mark.parametrize("path", ["a\0b.yaml", "\ud800.yaml", "/", ""], ids=["NUL", "a surrogate", "a folder", "nothing"])
def test_load_file_invalid_path_raises_typed_error(path: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read") as caught:
        MeshConfig.from_file(path)
    str(caught.value).encode()


def test_load_file_expands_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mesh.yaml").write_text("capabilities: [chat-completion]\n")
    assert MeshConfig.from_file("~/mesh.yaml").raw == {"capabilities": ["chat-completion"]}


# -- broken stores ----------------------------------------------------------------------------------------------------


class BuggyStore:
    id = "test.buggy-store.v1"

    def get(self, name: str) -> str:
        return {"date": name}["data"]


class PlainStore:
    id = "test.plain-store.v1"

    def get(self, name: str) -> str:
        raise KeyError(name)


def test_store_key_error_bug_is_not_missing_secret() -> None:
    pytest.importorskip("modelmesh_connector_openai")
    register_connector("test.buggy-store.v1", BuggyStore, replace=True)
    with pytest.raises(ConnectorError, match=r"raised KeyError\('data'\), which does not name the secret \(.*test_config_safety"):
        create(
            config={"secrets": {"store": "test.buggy-store.v1"}, "providers": {"openai.llm.v1": {"api_key": "${secrets:a-key}"}}}
        )


def test_missing_secret_of_other_store_advises_that_store() -> None:
    pytest.importorskip("modelmesh_connector_openai")
    register_connector("test.plain-store.v1", PlainStore, replace=True)
    with pytest.raises(SecretNotFoundError, match=r"Add it to that store, write \$\{env:A_KEY\} and set that variable"):
        create(
            config={"secrets": {"store": "test.plain-store.v1"}, "providers": {"openai.llm.v1": {"api_key": "${secrets:a-key}"}}}
        )


# -- damaged installations --------------------------------------------------------------------------------------------


def run(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False)


def installed(folder: Path, name: str, points: str, metadata: str | None = "") -> None:
    info = folder / f"{name.replace('-', '_').replace(' ', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text(points)
    if metadata is not None:
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{metadata}")


SERVES = """
import modelmesh
from modelmesh.contracts.models import ModelInfo
class P:
    id = "test.p.v1"
    def models(self): return [ModelInfo("m", "m", capabilities=("chat-completion",))]
    def send(self, *a): ...
    async def asend(self, *a): ...
with modelmesh.create(config={"providers": {"a": {"instance": P()}}, "pools": {"chat-completion": {}}}) as client:
    print(client.active_providers())
"""


def test_load_plugins_skips_module_that_exits(tmp_path: Path) -> None:
    installed(tmp_path, "acme-hook", "[modelmesh.plugins]\nacme = acmehook\n")
    (tmp_path / "acmehook.py").write_text("import sys\nsys.exit(3)\n")
    done = run(tmp_path, SERVES)
    assert (done.returncode, done.stdout) == (0, "['a']\n")
    assert "skipped plugin acme of acme-hook 1.0: SystemExit: 3" in done.stderr


def test_scan_skips_unreadable_entry_points(tmp_path: Path) -> None:
    installed(tmp_path, "acme-broken", "[modelmesh.plugins]\na line without an equals sign\n")
    done = run(tmp_path, SERVES)
    assert (done.returncode, done.stdout) == (0, "['a']\n"), done.stderr
    assert "acme_broken-1.0.dist-info, which cannot be read" in done.stderr


def test_scan_compares_whole_distribution_names(tmp_path: Path) -> None:
    for name in ("acme-model", "acme-model evil"):
        installed(tmp_path, name, "[modelmesh.providers]\nacme.model.v1 = acme:Provider\n")
    code = 'import modelmesh; modelmesh.create(config={"providers": {"acme.model.v1": {"api_key": "test"}}})'
    done = run(tmp_path, code)
    assert "two distributions provide the provider connector 'acme.model.v1'" in done.stderr

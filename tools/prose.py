"""Rates of odd words and semicolons in prose, next to those of pytest and httpx2: a mirror, not a gate.

Prose is docstrings and comments of Python files, the text of Markdown files without code, and the subjects of commits.
``uv run nox -s prose`` runs this file, ``-- --json`` prints the numbers as data, ``-- --where`` lists each occurrence.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import io
import json
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SUBJECT_LENGTH = 72
ODD_WORDS = frozenset({
    "nobody", "somebody", "anybody", "whoever", "whatever", "whom", "whose", "anew", "along", "beside",
    "told", "tell", "tells", "says", "said", "say", "hear", "hears", "let", "lets", "reckon", "reckons", "reckoned",
    "withheld", "withhold", "withholds", "stranger", "strangers", "kin",
})  # fmt: skip
"""Words that hide the subject of a sentence, or that technical English does not use."""

PEERS = {"pytest": ("pytest", "_pytest"), "httpx2": ("httpx2",)}
"""Projects to compare with, and their import names."""

_NOT_PROSE = re.compile(r"#!|#:|# ?(noqa|type:|pragma|fmt:|ruff:|mypy:|-\*-)|# -+( |$)")
_TRAILING_NOQA = re.compile(r"\s*# ?noqa.*")
_CODE = (
    re.compile(r"^ *(`{3,}|~{3,}).*?^ *\1", re.DOTALL | re.MULTILINE),  # fenced blocks
    re.compile(r"::\n\n(?:[ \t]+.*\n|\n)+"),  # literal blocks of reStructuredText
    re.compile(r"^[ \t]*>>> .*$", re.MULTILINE),
    re.compile(r"``[^`]*``|`[^`]*`"),
    re.compile(r"<!--.*?-->", re.DOTALL),
    re.compile(r"&\w+;"),
    re.compile(r"\]\([^)]*\)"),  # the addresses of links
)


@dataclass
class Rates:
    """Counts of one body of text.

    Attributes:
        name: Of the package or the kind of text.
        words: Number of words.
        odd: Number of odd words.
        semicolons: Number of semicolons.
        where: Each occurrence as ``file: words``.
    """

    name: str
    words: int = 0
    odd: int = 0
    semicolons: int = 0
    where: list[str] = field(default_factory=list)

    def add(self, text: str, source: str) -> None:
        """Count a piece of text, without the code in it."""
        for code in _CODE:
            text = code.sub(" ", text)
        words = re.findall(r"[A-Za-z']+", text)
        odd = [word for word in words if word.lower() in ODD_WORDS]
        semicolons = text.count(";")
        self.words += len(words)
        self.odd += len(odd)
        self.semicolons += semicolons
        if odd or semicolons:
            self.where.append(f"{source}: {' '.join([*odd, *[';'] * semicolons])}")

    def per_thousand(self, count: int) -> float:
        """Return a count for each 1,000 words."""
        return round(1000 * count / self.words, 1) if self.words else 0.0

    def as_data(self) -> dict[str, object]:
        """Return the counts and rates as JSON data."""
        return {
            "name": self.name,
            "words": self.words,
            "odd_words": self.odd,
            "semicolons": self.semicolons,
            "odd_words_per_1000": self.per_thousand(self.odd),
            "semicolons_per_1000": self.per_thousand(self.semicolons),
        }


def prose_of(source: str) -> Iterator[str]:
    """Yield the docstrings and comments of Python source, attribute docstrings included."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not _NOT_PROSE.match(token.string):
            yield _TRAILING_NOQA.sub("", token.string).lstrip("# ")
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else ():
            value = statement.value if isinstance(statement, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value


def measure(name: str, files: Iterable[Path]) -> Rates:
    """Return the rates of Python and Markdown files."""
    rates = Rates(name)
    for file in sorted(files):
        text = file.read_text("utf-8")
        shown = str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file)
        for piece in prose_of(text) if file.suffix == ".py" else (text,):
            rates.add(piece, shown)
    return rates


def subjects(root: Path) -> list[str]:
    """Return the subjects of all commits; none outside a git repository."""
    command = ["git", "-C", str(root), "log", "--format=%s"]
    log = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)  # noqa: S603
    return log.stdout.splitlines()


def own(root: Path) -> Iterator[Rates]:
    """Yield the rates of each package, of the documentation, the changelog and the commits."""
    for source in sorted([*root.glob("*/src"), *root.glob("*/*/src")]):
        yield measure(str(source.relative_to(root)), source.rglob("*.py"))
    pages = [*(root / "docs").rglob("*.md"), *root.glob("*.md"), *root.glob("*/README.md"), *root.glob("*/*/README.md")]
    changelog = root / "changelog.d"
    yield measure("docs and READMEs", {page for page in pages if page.parent != changelog})
    yield measure("changelog", changelog.glob("*.md"))
    commits = Rates("commit subjects")
    for subject in subjects(root):
        commits.add(subject, "git log")
    yield commits


def peers() -> Iterator[Rates]:
    """Yield the rates of the installed projects to compare with."""
    for name, modules in PEERS.items():
        specs = filter(None, map(importlib.util.find_spec, modules))
        folders = [Path(folder) for spec in specs for folder in spec.submodule_search_locations or ()]
        if folders:
            yield measure(name, (file for folder in folders for file in folder.rglob("*.py")))


def print_table(rows: Iterable[Rates]) -> None:
    """Print a line for each body of text."""
    print(f"{'per 1,000 words':<44} {'words':>8} {'odd words':>10} {'semicolons':>11}")
    for row in rows:
        odd, semicolons = row.per_thousand(row.odd), row.per_thousand(row.semicolons)
        print(f"{row.name:<44} {row.words:>8,} {odd:>10.1f} {semicolons:>11.1f}")


def main(arguments: Sequence[str]) -> int:
    """Print the rates and return 0: a rate is never an error."""
    parser = argparse.ArgumentParser(description="Print rates of odd words and semicolons per 1,000 words of prose.")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    parser.add_argument("--where", action="store_true", help="also list each occurrence")
    parser.add_argument("paths", nargs="*", type=Path, help="files or folders to measure instead of the repository")
    options = parser.parse_args(arguments)
    log = subjects(ROOT)
    long = sum(len(subject) > SUBJECT_LENGTH for subject in log)
    chosen = [measure(str(path), _files(path.resolve())) for path in options.paths]
    rows = chosen or list(own(ROOT))
    compared = list(peers())
    if options.json:
        commits = {"count": len(log), "longer_than_72": long}
        data = {"rates": [row.as_data() for row in rows], "peers": [row.as_data() for row in compared], "commits": commits}
        print(json.dumps(data, indent=2))
        return 0
    print_table([*rows, *compared])
    print(f"\ncommit subjects over {SUBJECT_LENGTH} characters: {long} of {len(log)}")
    if options.where:
        print("", *(line for row in rows for line in row.where), sep="\n")
    return 0


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [file for file in path.rglob("*") if file.suffix in {".py", ".md"}]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

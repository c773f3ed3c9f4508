"""Invalid files, each with its complete list of expected problems.

Each line of ``x.yaml.expected`` is one problem of ``x.yaml``: ``line:column|path|words``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import modelmesh
from modelmesh.errors import ConfigurationError

FOLDER = Path(__file__).parent / "wrong_files"
FILES = sorted(path.name for path in FOLDER.iterdir() if path.suffix != ".expected")


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.endswith(("_API_KEY", "_HOST", "_TOKEN", "_KEI"))]:
        monkeypatch.delenv(name)


def expected(name: str) -> list[tuple[str, str, str]]:
    lines = (FOLDER / f"{name}.expected").read_text("utf-8").splitlines()
    return [(place, path, words) for place, path, words in (line.split("|", 2) for line in lines)]


def unmet(messages: list[str], file: str, name: str) -> tuple[list[tuple[str, str, str]], list[str]]:
    """Return the expected problems that are missing, and the messages that are not expected."""
    missing, left = [], list(messages)
    for place, path, words in expected(name):
        start = f"{file}:{place}: {path}: " if path else f"{file}:{place}: "
        found = next((message for message in left if message.startswith(start) and words in message), None)
        if found is None:
            missing.append((place, path, words))
        else:
            left.remove(found)
    return missing, left


@pytest.mark.parametrize("name", FILES)
def test_create_reports_every_problem_of_file(name: str) -> None:
    file = str(FOLDER / name)
    with pytest.raises(modelmesh.ModelMeshError) as caught:
        modelmesh.create(config=file)
    assert isinstance(caught.value, ConfigurationError)
    messages = caught.value.details.get("problems") or [caught.value.message]
    assert unmet(messages, file, name) == ([], [])


@pytest.mark.parametrize("name", FILES)
def test_every_problem_states_next_step(name: str) -> None:
    with pytest.raises(modelmesh.ModelMeshError) as caught:
        modelmesh.create(config=str(FOLDER / name))
    for message in caught.value.details.get("problems") or [caught.value.message]:
        assert re.search(
            r"Did you mean|must be|[Ww]rite|Known|known|reads:|[Ss]et it|export|Install|[Nn]ame |[Kk]eep one|remove|Remove|Indent|"
            r"Close|Put|quotes|double quotes|Correct|Begin|needs|such as|List|Configure|not allowed|joins when|[Gg]ive each|Add one|requires|Use the key|Enable one|joins if|has no anchor|is installed as",
            message,
        ), message


def test_check_reports_the_same_problems(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "modelmesh.cli", "check", "all_stages.yaml"],
        cwd=FOLDER, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    *messages, last = done.stderr.splitlines()
    assert unmet(messages, "all_stages.yaml", "all_stages.yaml") == ([], [])
    assert last == "all_stages.yaml: 6 problems"

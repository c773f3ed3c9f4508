"""The words of tables."""

from __future__ import annotations

import io

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from rich.console import Console

from modelmesh.cli.rendering import IN_WORDS, attempts_table, one_line, show
from modelmesh.cli.terminal import clean
from modelmesh.routing.attempts import Attempt
from modelmesh.routing.classes import FailureClass


def shown(*attempts: Attempt, **terminal: object) -> list[str]:
    console = Console(file=io.StringIO(), width=200, **terminal)
    show(console, attempts_table(console, attempts))
    return console.file.getvalue().splitlines()


def test_every_class_of_failure_has_words():
    assert set(IN_WORDS) == set(FailureClass)


def test_what_is_unknown_is_not_zero():
    assert shown(Attempt(1, "acme", "m1", outcome="cancelled"))[1].split() == [
        "1",
        "acme",
        "m1",
        "cancelled",
        "-",
        "-",
        "gave",
        "up",
    ]


def test_a_second_try_at_the_same_model_says_how_long_it_waited():
    first = Attempt(1, "acme", "m1", outcome="failed", failure="server", status=500, ms=12.4)
    lines = shown(first, Attempt(2, "acme", "m1", outcome="answered", ms=3.0, waited_ms=1500))
    assert lines[1].endswith("failed inside (server)     500  12  waited 1.5 s, asked it again")
    assert lines[2].endswith("answered                     -   3  handed over the answer")


def test_markup_and_control_characters_are_text():
    lines = shown(Attempt(1, "[bold]acme[/bold]", "m\x1b[1m1", outcome="answered"))
    assert lines[1].split()[:3] == ["1", "[bold]acme[/bold]", "m[1m1"]


def test_a_terminal_gets_a_rule_and_a_pipe_does_not():
    attempt = Attempt(1, "acme", "m1", outcome="answered")
    assert len(shown(attempt)) == 2
    assert len(shown(attempt, force_terminal=True)) == 3


def test_cleaning():
    assert clean("a\tb\nc\x00\x07\x1b[2J\x7f\x9b31m\r") == "a\tb\nc[2J31m"
    assert one_line(" a\n  b\x1b ") == "a b"

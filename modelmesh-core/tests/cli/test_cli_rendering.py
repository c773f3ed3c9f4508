"""Tables of attempts and limits."""

from __future__ import annotations

import io

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from rich.console import Console

from modelmesh._engine.foundation.attempts import Attempt
from modelmesh.cli.limits import limits_table
from modelmesh.cli.rendering import FAILURE_TEXTS, attempts_table, one_line, show, table
from modelmesh.cli.terminal import clean
from modelmesh.contracts import FailureClass


def shown(*attempts: Attempt, **terminal: object) -> list[str]:
    console = Console(file=io.StringIO(), width=200, **terminal)
    show(console, attempts_table(console, attempts))
    return console.file.getvalue().splitlines()


def test_every_failure_class_has_a_text():
    assert set(FAILURE_TEXTS) == set(FailureClass)


def test_attempts_table_shows_unknown_values_as_dash():
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


def test_attempts_table_shows_the_wait_of_a_retry():
    first = Attempt(1, "acme", "m1", outcome="failed", failure="server", status=500, ms=12.4)
    lines = shown(first, Attempt(2, "acme", "m1", outcome="answered", ms=3.0, waited_ms=1500))
    assert lines[1].endswith("server error     500  12  waited 1.5 s, retried")
    assert lines[2].endswith("answered           -   3  returned the answer")


def test_table_shows_markup_as_text():
    lines = shown(Attempt(1, "[bold]acme[/bold]", "m\x1b[1m1", outcome="answered"))
    assert lines[1].split()[:3] == ["1", "[bold]acme[/bold]", "m[1m1"]


def test_table_has_a_rule_only_on_a_terminal():
    attempt = Attempt(1, "acme", "m1", outcome="answered")
    assert len(shown(attempt)) == 2
    assert len(shown(attempt, force_terminal=True)) == 3


LIMIT = {"of": "provider:openai", "metric": "cost", "window": "month", "limit": 10**9, "used": 0, "left": 10**9, "resets_at": 1.0}


@pytest.mark.parametrize(("width", "bars"), [(200, 1), (104, 1), (80, 0)])
def test_narrow_limits_table_has_no_bar(width: int, bars: int):
    console = Console(file=io.StringIO(), width=width)
    show(console, limits_table(console, [LIMIT]))
    text = console.file.getvalue()
    assert text.splitlines()[1].split()[:6] == ["provider", "openai", "USD", "month", "$0.00", "$1.00"]
    assert text.count("\u2591" * 20) == bars


def test_unfolded_columns_do_not_hide_others():
    console = Console(file=io.StringIO(), width=40)
    show(console, table(console, ("model", "why"), [("m" * 38, "standby by hand")], whole=("model",)))
    text = console.file.getvalue()
    assert text.count("m") == 38 + len("m")
    assert text.replace("m", "").split() == ["odel", "why", "standby", "by", "hand"]


def test_clean_removes_control_characters():
    assert clean("a\tb\nc\x00\x07\x1b[2J\x7f\x9b31m\r") == "a\tb\nc[2J31m"
    assert one_line(" a\n  b\x1b ") == "a b"

"""Metadata of the recordings: each has a source, none has a secret, and the table is complete."""

from __future__ import annotations

import re

import pytest
from replaying.ours import PROVIDERS
from replaying.recorded import FOLDER, Recording, recordings

ALL = [one for kind in ("answers", "streams", "errors", "broken") for one in recordings(kind)]
README = (FOLDER.parent / "README.md").read_text("utf-8")
ROWS = {
    cells[1].strip(): [cell.strip() for cell in cells[2:-1]]
    for cells in (row.split("|") for row in README.splitlines())
    if len(cells) == 9
}
SECRET = re.compile(
    r"sk-[A-Za-z0-9]{8}|Bearer |AIza|hf_[A-Za-z]{8}|gsk_|\breq_(?!scrubbed)|user_[0-9A-Za-z]{20}|org-|set-cookie", re.IGNORECASE
)
REQUEST_HEADERS = {"content-type", "accept", "anthropic-version"}
ANSWER_HEADERS = {"content-type", "retry-after", "x-should-retry"}


@pytest.mark.parametrize("recording", ALL, ids=[one.label for one in ALL])
def test_recording_has_source_and_no_secret(recording: Recording) -> None:
    facts = recording.facts
    assert set(facts) == {"source", "recorded", "exact", "scrubbed", "request", "response"}
    assert facts["source"].keys() >= {"repository", "path", "from", "licence"}
    assert facts["recorded"] is None or re.fullmatch(r"20\d\d-\d\d-\d\d", facts["recorded"])
    assert set(facts["request"]["headers"]) <= REQUEST_HEADERS
    assert set(facts["response"]["headers"]) <= ANSWER_HEADERS
    whole = (FOLDER / f"{recording.label}.json").read_text("utf-8")
    assert SECRET.search(whole) is None


def test_table_lists_every_recording() -> None:
    listed = {
        f"{vendor}/{name.removesuffix(' †')}" for vendor, cells in ROWS.items() if vendor in PROVIDERS
        for cell in cells if cell not in ("", "none found") for name in cell.split(", ")
    }  # fmt: skip
    assert listed == {one.label for one in ALL}
    pasted = {one.label for one in ALL if "pasted" in one.facts["exact"]}
    assert pasted == {
        f"{vendor}/{cell.removesuffix(' †')}" for vendor, cells in ROWS.items() for cell in cells if cell.endswith("†")
    }

"""Recorded exchanges with vendors, from ``recordings/``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from modelmesh_cdk.testing import Script

FOLDER = Path(__file__).resolve().parent.parent / "recordings"
ENDS = ("/chat/completions", "/messages", "/models/", "/chat")


@frozen
class Recording:
    """A request and its response.

    Attributes:
        vendor: Folder of the recording.
        name: Name within the folder, which starts with ``stream`` or ``error`` for these kinds.
        facts: The whole file.
    """

    vendor: str
    name: str
    facts: Mapping[str, Any]

    @property
    def label(self) -> str:
        return f"{self.vendor}/{self.name}"

    @property
    def streams(self) -> bool:
        return self.name.startswith("stream") or self.name.endswith("stream")

    @property
    def body(self) -> dict[str, Any] | None:
        """The request, if it was recorded."""
        return self.facts["request"]["body"]

    @property
    def path(self) -> str:
        return self.facts["request"]["path"].partition("#")[0]

    @property
    def prefix(self) -> str:
        """Part of the path before the endpoint."""
        return next(self.path.partition(end)[0] for end in ENDS if end in self.path)

    @property
    def model(self) -> str:
        if self.vendor == "google":
            return self.path.partition("/models/")[2].partition(":")[0]
        return (self.body or {}).get("model", "unknown-model")

    @property
    def status(self) -> int:
        return self.facts["response"]["status"]

    @property
    def answer(self) -> bytes:
        return self.facts["response"]["body"].encode()

    def script(self, size: int | None = None) -> Script:
        """Return the response for the loopback server.

        Args:
            size: Bytes in each part. ``None`` sends one part.
        """
        headers = dict(self.facts["response"]["headers"])
        kind = headers.pop("content-type")
        whole = self.answer
        pieces = whole if size is None else [whole[at : at + size] for at in range(0, len(whole), size)]
        return Script(status=self.status, body=pieces, headers=headers, content_type=kind)


def recordings(kind: str) -> list[Recording]:
    """Return all recordings of a kind: ``answers``, ``streams``, ``errors``, or ``broken`` for streams with an error."""
    found = [
        Recording(path.parent.name, path.stem, json.loads(path.read_text("utf-8"))) for path in sorted(FOLDER.glob("*/*.json"))
    ]
    return [one for one in found if _kind(one) == kind]


def _kind(one: Recording) -> str:
    if one.name == "stream-error":
        return "broken"
    if one.status >= 400:
        return "errors"
    return "streams" if one.streams else "answers"

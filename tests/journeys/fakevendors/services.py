"""Operations other than chat: what a vendor receives, what it returns, and what it bills."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from email import message_from_bytes
from email.policy import HTTP
from typing import Any

from attrs import field, frozen

from fakevendors.requests import expect

SOUND_SECONDS = 7.5
"""Length of every recording, as the vendors count it."""


@frozen
class File:
    """A file as the vendor received it."""

    name: str
    kind: str
    content: bytes

    @property
    def mark(self) -> str:
        """Size and checksum, from which a test sees that the file is whole."""
        return mark(self.content)


def mark(content: bytes) -> str:
    """Return the size and the checksum of a file."""
    return f"{len(content)}-{hashlib.sha256(content).hexdigest()[:8]}"


@frozen
class Work:
    """One request for an operation.

    Attributes:
        path: Path after that of the account, without the query.
        headers: Names in lower case.
        fields: JSON body, or the fields of a form.
        files: Files of a form by field.
        raw: The whole body.
    """

    path: str
    headers: Mapping[str, str]
    fields: dict[str, Any]
    files: dict[str, list[File]]
    raw: bytes

    @classmethod
    def read(cls, path: str, headers: Mapping[str, str], raw: bytes) -> Work:
        """Read a body by its media type."""
        kind = headers.get("content-type", "")
        if kind.startswith("multipart/form-data"):
            return cls(path.partition("?")[0], headers, *_form(kind, raw), raw)
        is_json = kind.startswith("application/json") and raw
        return cls(path.partition("?")[0], headers, json.loads(raw) if is_json else {}, {}, raw)

    def only_file(self, name: str = "file") -> File:
        """Return the file of a field, of which there must be one."""
        found = self.files.get(name, []) + self.files.get(f"{name}[]", [])
        expect(len(found) == 1, f"{name}: one file is required, not {len(found)}")
        expect(found[0].content, f"{name}: the file is empty")
        return found[0]


@frozen
class Result:
    """What a vendor returns.

    Attributes:
        model: The model.
        body: JSON, bytes, or the events of a stream.
        kind: Media type.
        units: What the vendor bills: tokens and counts by the names of the usage.
        is_stream: Whether the body consists of events.
    """

    model: str
    body: Any
    kind: str = "application/json"
    units: dict[str, float] = field(factory=dict)
    is_stream: bool = False

    @property
    def encoded(self) -> bytes:
        """The body as bytes."""
        if self.is_stream:
            return b"".join(self.body)
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Service = Callable[[Work, str], Result]
"""Serves the work of an operation as a vendor."""


def events(*found: dict[str, Any], named: bool = False) -> list[bytes]:
    """Return server-sent events."""
    return [f"{'event: ' + one['type'] + chr(10) if named else ''}data: {json.dumps(one)}\n\n".encode() for one in found]


def _form(kind: str, raw: bytes) -> tuple[dict[str, Any], dict[str, list[File]]]:
    fields: dict[str, Any] = {}
    files: dict[str, list[File]] = {}
    message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + raw, policy=HTTP)
    for part in message.iter_parts():  # type: ignore[attr-defined]
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if part.get_filename() is None:
            fields[name] = content.decode()
        else:
            files.setdefault(name, []).append(File(part.get_filename(), part.get_content_type(), content))
    return fields, files

"""Fields of received forms and queries."""

from __future__ import annotations

from collections.abc import Iterable
from email import message_from_bytes
from email.policy import HTTP
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from modelmesh_cdk.testing.upstream import Received


class ReceivedFile(NamedTuple):
    """A file of a form."""

    filename: str
    content_type: str
    content: bytes


def read_form(received: Received) -> dict[str, Any]:
    """Return the fields of a form by name: a text, a :class:`ReceivedFile`, or a list for a name that ends in ``[]``.

    Raises:
        AssertionError: The body is not a complete form.
    """
    head = f"Content-Type: {received.headers.get('content-type', '')}\r\n\r\n".encode()
    message: Any = message_from_bytes(head + received.body, policy=HTTP)
    assert message.get_content_type() == "multipart/form-data", f"the body is {message.get_content_type()}"
    assert received.body.rstrip().endswith(f"--{message.get_boundary()}--".encode()), "the form is incomplete"
    fields = []
    for part in message.iter_parts():
        content, filename = part.get_payload(decode=True), part.get_filename()
        value = content.decode() if filename is None else ReceivedFile(filename, part.get_content_type(), content)
        fields.append((part.get_param("name", header="content-disposition"), value))
    return _by_name(fields)


def read_query(received: Received) -> dict[str, Any]:
    """Return the parameters of a query by name. A name that ends in ``[]`` has a list."""
    return _by_name(parse_qsl(urlsplit(received.path).query, keep_blank_values=True))


def _by_name(fields: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in fields:
        if name.endswith("[]"):
            found.setdefault(name[:-2], []).append(value)
        else:
            found[name] = value
    return found

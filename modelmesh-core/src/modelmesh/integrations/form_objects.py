"""Forms of an SDK's request as objects, without their encoding and decoding.

httpx2 and httpx keep the fields and files of a form as objects and encode them while a connection sends them. In the process no
connection does, so the mesh sends the SDK's own file objects to the vendor. The attributes are those of ``MultipartStream``,
``DataField`` and ``FileField`` of httpx2 2.0 and httpx 0.28 (read 2026-11-30). Any other stream is encoded and parsed.
"""

from __future__ import annotations

from typing import Any

from modelmesh._engine.mesh.file_arguments import to_upload
from modelmesh.contracts.files import FileUpload


def has_objects(stream: Any) -> bool:
    """Return whether the fields of a request's body are available as objects."""
    fields = getattr(stream, "fields", None)
    return isinstance(fields, list) and all(_is_text(field) or _is_file(field) for field in fields)


def read_objects(stream: Any) -> list[tuple[str, str | FileUpload]]:
    """Return the fields and files of a form in order.

    Args:
        stream: A body for which :func:`has_objects` is true.

    Raises:
        BadRequestError: A file cannot be read.
    """
    return [(field.name, field.value if _is_text(field) else _file(field)) for field in stream.fields]


def _is_text(field: Any) -> bool:
    return isinstance(getattr(field, "value", None), str)


def _is_file(field: Any) -> bool:
    """Return whether a field is a file. A part without a filename is text."""
    return bool(getattr(field, "filename", None)) and hasattr(field, "file") and isinstance(getattr(field, "headers", None), dict)


def _file(field: Any) -> FileUpload:
    content = field.file.encode() if isinstance(field.file, str) else field.file
    return to_upload(field.name, (field.filename, content, None, field.headers))

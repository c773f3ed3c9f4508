"""Size limits of incoming requests."""

from __future__ import annotations

from attrs import frozen

MIB = 2**20


@frozen
class GatewayLimits:
    """Size limits of one request. ``None`` applies no limit.

    Attributes:
        header_bytes: Names and values of all headers.
        json_bytes: A JSON body.
        upload_bytes: A multipart body with its files.
        field_bytes: All text fields of a multipart body.
        fields: Fields and files of a multipart body.
        files: Files of a multipart body. Each one on disk takes a file handle.
        memory_bytes: Files of a multipart body in memory. Those beyond are stored on disk until the request ends.
    """

    header_bytes: int | None = 64 * 1024
    json_bytes: int | None = 64 * MIB
    upload_bytes: int | None = 2048 * MIB
    field_bytes: int = MIB
    fields: int = 1000
    files: int = 64
    memory_bytes: int = MIB


IN_PROCESS = GatewayLimits(header_bytes=None, json_bytes=None, upload_bytes=None)
"""Limits of requests from the same process, which hold their bodies in memory already."""

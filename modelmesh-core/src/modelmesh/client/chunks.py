"""Parts of a file that is uploaded in parts."""

from __future__ import annotations

import os
from collections.abc import Iterator

from attrs import frozen

from modelmesh._engine.foundation.bad_requests import bad_request_error
from modelmesh._engine.mesh.file_arguments import part_of, to_upload
from modelmesh.contracts.files import FileUpload

PART_BYTES = 64 * 1024 * 1024
"""Default size of a part, the vendor's maximum."""


@frozen
class Parts:
    """A file and the size of its parts.

    Attributes:
        filename: Name for the vendor.
        size: Bytes.
    """

    filename: str
    size: int
    _file: FileUpload
    _part_size: int

    def parts(self) -> Iterator[FileUpload]:
        """Yield the parts in order. Each reads its own range of the file, so that a retry sends the whole part."""
        for start in range(0, self.size, self._part_size):
            yield part_of(self._file, start, min(self._part_size, self.size - start))


def plan(file: bytes | os.PathLike[str], filename: str | None, size: int | None, part_size: int | None) -> Parts:
    """Return the parts of a file.

    Raises:
        BadRequestError: The file cannot be read, or bytes come without a name.
    """
    if isinstance(file, bytes) and filename is None:
        raise bad_request_error("'filename' is missing, which bytes require")
    if part_size is not None and part_size < 1:
        raise bad_request_error("'part_size' must be a positive number of bytes")
    upload = to_upload("file", file)
    return Parts(filename or upload.filename, upload.size if size is None else size, upload, part_size or PART_BYTES)

"""Files, batches and uploads of the mock provider, in memory."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from modelmesh._engine.foundation.failures import FailureClass
from modelmesh.contracts.operations import RESOURCES
from modelmesh.errors import BadRequestError

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call

SERVED = frozenset(row.name for row in RESOURCES if not row.name.startswith("responses."))
"""Operations of accounts that the mock provider serves. It stores no responses."""

LIFETIME_S = 3600


class MockAccount:
    """Resources of one account. A batch stays in progress until the test changes :attr:`resources`.

    Attributes:
        resources: Files, batches, uploads and parts by their ID.
        contents: Contents of the files by their ID.
    """

    def __init__(self) -> None:
        """Start without a resource."""
        self.resources: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}

    def answer(self, call: Call) -> Any:
        """Return the body of an answer.

        Raises:
            BadRequestError: There is no resource with the ID.
        """
        kind, _, action = call.operation.name.rpartition(".")
        return getattr(self, f"_{kind.replace('.', '_')}_{action}")(call.payload)

    def _found(self, resource_id: str) -> dict[str, Any]:
        if resource_id not in self.resources:
            message = f"No such resource: {resource_id!r}."
            raise BadRequestError(message, failure=FailureClass.CALLER, status=404)
        return self.resources[resource_id]

    def _made(self, prefix: str, kind: str, **fields: Any) -> dict[str, Any]:
        made = {"id": f"{prefix}{uuid4().hex[:8]}", "object": kind, "created_at": int(time.time()), **fields}
        self.resources[made["id"]] = made
        return made

    def _listed(self, kind: str, after: str | None) -> dict[str, Any]:
        rows = [row for row in self.resources.values() if row["object"] == kind]
        start = next((place + 1 for place, row in enumerate(rows) if row["id"] == after), 0)
        return {"object": "list", "data": rows[start:], "has_more": False}

    def _file(self, filename: str, purpose: str, content: bytes) -> dict[str, Any]:
        made = self._made("file-", "file", bytes=len(content), filename=filename, purpose=purpose, status="processed")
        self.contents[made["id"]] = content
        return made

    def _files_create(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        return self._file(payload["file"].filename, payload["purpose"], _content(payload["file"]))

    def _files_list(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        return self._listed("file", payload.get("after"))

    def _files_retrieve(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        return self._found(payload["file_id"])

    def _files_content(self, payload: Mapping[str, Any]) -> bytes:
        return self.contents[self._found(payload["file_id"])["id"]]

    def _files_delete(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        del self.resources[self._found(payload["file_id"])["id"]]
        return {"id": payload["file_id"], "object": "file", "deleted": True}

    def _batches_create(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        self._found(payload["input_file_id"])
        return self._made("batch_", "batch", status="in_progress", **payload)

    def _batches_list(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        return self._listed("batch", payload.get("after"))

    def _batches_retrieve(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        return self._found(payload["batch_id"])

    def _batches_cancel(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        batch = self._found(payload["batch_id"])
        batch["status"] = "cancelled"
        return batch

    def _uploads_create(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        fields = {name: payload[name] for name in ("bytes", "filename", "purpose")}
        return self._made("upload_", "upload", status="pending", expires_at=int(time.time()) + LIFETIME_S, **fields)

    def _uploads_parts_create(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        made = self._made("part_", "upload.part", upload_id=self._found(payload["upload_id"])["id"])
        self.contents[made["id"]] = _content(payload["data"])
        return made

    def _uploads_complete(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        upload = self._found(payload["upload_id"])
        content = b"".join(self.contents[self._found(part)["id"]] for part in payload["part_ids"])
        upload["status"] = "completed"
        upload["file"] = dict(self._file(upload["filename"], upload["purpose"], content))
        return upload

    def _uploads_cancel(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        upload = self._found(payload["upload_id"])
        upload["status"] = "cancelled"
        return upload


def _content(file: Any) -> bytes:
    with file.open() as reader:
        return bytes(reader.read())

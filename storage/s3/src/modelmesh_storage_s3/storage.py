"""Storage of entries, locks and counters as objects in a bucket."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar
from urllib.parse import unquote

from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError

from modelmesh_cdk import BaseStorageConfig, SharedStorage
from modelmesh_storage_s3.names import name_prefix, object_name
from modelmesh_storage_s3.settings import S3StorageConfig

_MISSING = {"NoSuchKey", "404", "NotFound"}
_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_ADVICE = {
    "NoSuchBucket": "create it, or correct storage.bucket",
    "AccessDenied": "the account needs s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket",
    "KeyTooLongError": "use a shorter key or prefix",
    "NotImplemented": "this server does not support conditional writes, which locks and counters need",
}


class S3Storage(SharedStorage):
    """State in an S3 bucket, or in a bucket of another server with the S3 API and conditional writes.

    Example:
        ::

            storage:
              connector: aws.s3.v1
              sync_policy: periodic
              bucket: my-team-state
              region: eu-central-1
    """

    id: ClassVar[str] = "aws.s3.v1"
    options: ClassVar[Collection[str]] = ("key", "endpoint", "region_name", "lock_table")
    config_class: ClassVar[type[BaseStorageConfig]] = S3StorageConfig
    hint: ClassVar[str] = "Test the bucket: aws s3 ls s3://BUCKET/PREFIX"

    def __init__(self, config: Mapping[str, Any] | BaseStorageConfig | None = None) -> None:
        super().__init__(config)
        self._s3: Any = self.config.client()

    def after_fork(self) -> None:
        """Open new connections in a child process: the parent uses the old ones."""
        self._s3 = self.config.client()

    def close(self) -> None:
        """Close the connections. May be called twice."""
        self._s3.close()

    # -- blobs ------------------------------------------------------------------------------------------------------

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self.config.bucket, "Key": self.config.prefix + object_name(key)}

    def _read(self, key: str) -> bytes | None:
        return self._tagged(key)[0]

    def _tagged(self, key: str) -> tuple[bytes | None, Any]:
        try:
            found = self._s3.get_object(**self._at(key))
        except ClientError as error:
            if _code(error) in _MISSING:
                return None, None
            raise
        with found["Body"] as body:
            return body.read(), found["ETag"]

    def _write(self, key: str, blob: bytes) -> None:
        self._s3.put_object(**self._at(key), Body=blob, **self.config.encryption)

    def _swap(self, key: str, blob: bytes, tag: Any) -> bool:
        condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        try:
            self._s3.put_object(**self._at(key), Body=blob, **self.config.encryption, **condition)
        except ClientError as error:
            if _code(error) in _CHANGED | _MISSING:
                return False
            raise
        return True

    def _remove(self, key: str) -> bool:
        if not self._has_object(key):
            return False  # S3 does not report whether a deleted object existed
        self._s3.delete_object(**self._at(key))
        return True

    def _has_object(self, key: str) -> bool:
        try:
            self._s3.head_object(**self._at(key))
        except ClientError as error:
            if _code(error) in _MISSING:
                return False
            raise
        return True

    def _keys(self, prefix: str) -> Iterable[str]:
        own = self.config.prefix
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.config.bucket, Prefix=own + name_prefix(prefix))
        return (unquote(item["Key"][len(own) :]) for page in pages for item in page.get("Contents", ()))

    # -- failures ---------------------------------------------------------------------------------------------------

    def _why(self, error: Exception) -> str:
        """Describe a failure. Of the server's message only the code is used."""
        where = f"the bucket {self.config.bucket!r}{f' at {self.config.endpoint_url}' if self.config.endpoint_url else ''}"
        if isinstance(error, ClientError):
            code = _code(error)
            advice = f": {_ADVICE[code]}" if code in _ADVICE else ""
            return f"{where} replied {code}{advice}"
        if isinstance(error, NoCredentialsError):
            return f"{where} needs credentials, and boto3 finds none"
        if isinstance(error, ConnectTimeoutError | ReadTimeoutError | EndpointConnectionError):
            return f"{where} cannot be reached or does not reply ({type(error).__name__})"
        return f"{where}: {super()._why(error)}"


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))

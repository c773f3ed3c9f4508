"""Entries, locks and counters as objects in a bucket."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar
from urllib.parse import unquote

from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError

from modelmesh_cdk import BaseStorageConfig, SharedStorage
from modelmesh_storage_s3.names import beginning, object_name
from modelmesh_storage_s3.settings import S3StorageConfig

_NOT_THERE = {"NoSuchKey", "404", "NotFound"}
_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_ADVICE = {
    "NoSuchBucket": "make it, or correct storage.bucket",
    "AccessDenied": "the account needs s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket",
    "KeyTooLongError": "use a shorter key or prefix",
    "NotImplemented": "this server knows no conditional writes, which locks and counters are made of",
}


class S3Storage(SharedStorage):
    """Keeps state in an S3 bucket, or in one of a server that speaks S3 and knows conditional writes.

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
    hint: ClassVar[str] = "Ask it yourself: aws s3 ls s3://BUCKET/PREFIX"

    def __init__(self, config: Mapping[str, Any] | BaseStorageConfig | None = None) -> None:
        super().__init__(config)
        self._s3: Any = self.config.client()

    def after_fork(self) -> None:
        """Take new connections in a child process: the parent goes on with the old ones."""
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
            if _code(error) in _NOT_THERE:
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
            if _code(error) in _CHANGED | _NOT_THERE:
                return False
            raise
        return True

    def _remove(self, key: str) -> bool:
        if not self._there(key):
            return False  # S3 says the same of a deletion whether there was something or not
        self._s3.delete_object(**self._at(key))
        return True

    def _there(self, key: str) -> bool:
        try:
            self._s3.head_object(**self._at(key))
        except ClientError as error:
            if _code(error) in _NOT_THERE:
                return False
            raise
        return True

    def _keys(self, prefix: str) -> Iterable[str]:
        own = self.config.prefix
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.config.bucket, Prefix=own + beginning(prefix))
        return (unquote(one["Key"][len(own) :]) for page in pages for one in page.get("Contents", ()))

    # -- failures ---------------------------------------------------------------------------------------------------

    def _why(self, error: Exception) -> str:
        """Say what failed and where; of the server's words only the code."""
        where = f"the bucket {self.config.bucket!r}{f' at {self.config.endpoint_url}' if self.config.endpoint_url else ''}"
        if isinstance(error, ClientError):
            code = _code(error)
            advice = f"; {_ADVICE[code]}" if code in _ADVICE else ""
            return f"{where} answered {code}{advice}"
        if isinstance(error, NoCredentialsError):
            return f"{where} needs credentials, and boto3 finds none"
        if isinstance(error, ConnectTimeoutError | ReadTimeoutError | EndpointConnectionError):
            return f"{where} cannot be reached or does not answer ({type(error).__name__})"
        return f"{where}: {super()._why(error)}"


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))

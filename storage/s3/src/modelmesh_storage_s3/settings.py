"""Settings of the S3 store, and the client made from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import boto3
from attrs import field, frozen, validators
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from modelmesh.contracts import Secret, parse_duration
from modelmesh.errors import ConfigurationError
from modelmesh_cdk import BaseStorageConfig

ENCRYPTIONS = ("AES256", "aws:kms", "aws:kms:dsse")
"""Values of the header x-amz-server-side-encryption on PutObject for all kinds of buckets (botocore 1.44.5, 2026-11-21)."""

_ALIASES = {"key": "prefix", "endpoint": "endpoint_url", "region_name": "region"}
_CONNECTIONS = 32


def _sealed(value: Any) -> Secret | None:
    return value if value is None or isinstance(value, Secret) else Secret(str(value))


def _plain(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else value


def _ending(value: Any) -> str:
    text = str(_plain(value))
    return text if not text or text.endswith("/") else f"{text}/"


@frozen(kw_only=True)
class S3StorageConfig(BaseStorageConfig):
    """Settings of a :class:`~modelmesh_storage_s3.S3Storage`.

    Attributes:
        bucket: Name of the bucket.
        region: Region of the bucket, ``None`` for the one of the AWS configuration.
        prefix: Prefix of every object's name. A ``/`` is added if it does not end with one.
        endpoint_url: Address of another server with the S3 API.
        path_style: Whether the bucket is in the path of a URL instead of its host name.
        access_key_id: Access key, with ``secret_access_key`` and optionally ``session_token``. ``None``: boto3 finds its own.
        secret_access_key: See ``access_key_id``.
        session_token: See ``access_key_id``.
        profile: Profile of the AWS configuration.
        server_side_encryption: Encryption by the server, ``None`` for the one of the bucket.
        kms_key_id: Key of the encryption.
        connect_timeout: Seconds to wait for a connection.
        timeout: Seconds to wait for each reply.
    """

    bucket: str = field(default="", converter=_plain)
    region: str | None = field(default=None, converter=_plain)
    prefix: str = field(default="modelmesh/", converter=_ending)
    endpoint_url: str | None = field(default=None, converter=_plain)
    path_style: bool = False
    access_key_id: Secret | None = field(default=None, converter=_sealed, repr=False)
    secret_access_key: Secret | None = field(default=None, converter=_sealed, repr=False)
    session_token: Secret | None = field(default=None, converter=_sealed, repr=False)
    profile: str | None = field(default=None, converter=_plain)
    server_side_encryption: str | None = field(default=None, validator=validators.optional(validators.in_(ENCRYPTIONS)))
    kms_key_id: str | None = field(default=None, converter=_plain)
    connect_timeout: float = field(default=1.0, converter=parse_duration)
    timeout: float = field(default=3.0, converter=parse_duration)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Create the settings from a mapping. ``key`` is an alias of ``prefix``, ``endpoint`` of ``endpoint_url``.

        Raises:
            ConfigurationError: The bucket is missing, or ``lock_table`` is set.
        """
        found = super().of({_ALIASES.get(name, name): value for name, value in settings.items() if value is not None})
        if not found.bucket:
            message = "storage.bucket is missing. Set it to the S3 bucket of the state"
            raise ConfigurationError(message, where="storage.bucket")
        if "lock_table" in found.options:
            message = "storage.lock_table is not supported: locks are objects in the bucket, without DynamoDB. Remove it"
            raise ConfigurationError(message, where="storage.lock_table")
        return found

    @property
    def encryption(self) -> dict[str, str]:
        """Encryption parameters of each upload."""
        given = {"ServerSideEncryption": self.server_side_encryption, "SSEKMSKeyId": self.kms_key_id}
        return {name: value for name, value in given.items() if value is not None}

    def client(self) -> Any:
        """Create a client with short timeouts and without retries: the mesh decides when to retry.

        Raises:
            ConfigurationError: boto3 cannot create a client from these settings.
        """
        keys = {
            "aws_access_key_id": self.access_key_id,
            "aws_secret_access_key": self.secret_access_key,
            "aws_session_token": self.session_token,
        }
        config = Config(
            connect_timeout=self.connect_timeout,
            read_timeout=self.timeout,
            retries={"mode": "standard", "total_max_attempts": 1},
            max_pool_connections=_CONNECTIONS,
            s3={"addressing_style": "path" if self.path_style else "auto"},
        )
        try:
            session = boto3.Session(region_name=self.region, profile_name=self.profile)
            given = {name: secret.reveal() for name, secret in keys.items() if secret is not None}
            return session.client("s3", endpoint_url=self.endpoint_url, config=config, **given)
        except (BotoCoreError, ValueError) as error:
            reason = type(error).__name__
        message = (
            f"storage: boto3 cannot create a client for the bucket {self.bucket!r} ({reason}). Check region, endpoint_url, "
            "profile, access_key_id and secret_access_key. To list what boto3 finds itself: aws configure list"
        )
        raise ConfigurationError(message, where="storage")

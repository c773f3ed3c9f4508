"""Storage connector for S3 buckets: ``aws.s3.v1``."""

from modelmesh_storage_s3.settings import S3StorageConfig
from modelmesh_storage_s3.storage import S3Storage

__all__ = ["S3Storage", "S3StorageConfig"]

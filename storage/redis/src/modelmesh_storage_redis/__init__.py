"""Storage connector for Redis, with counters that processes share: ``redis.redis.v1``."""

from modelmesh_storage_redis.settings import RedisStorageConfig
from modelmesh_storage_redis.storage import RedisStorage

__all__ = ["RedisStorage", "RedisStorageConfig"]

"""State and shared counts in Redis: ``redis.redis.v1``."""

from modelmesh_storage_redis.settings import RedisStorageConfig
from modelmesh_storage_redis.storage import RedisStorage

__all__ = ["RedisStorage", "RedisStorageConfig"]

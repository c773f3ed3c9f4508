"""Storage connector for an SQLite database: ``modelmesh.sqlite.v1``."""

from modelmesh_storage_sqlite.storage import SqliteConfig, SqliteStorage

__all__ = ["SqliteConfig", "SqliteStorage"]

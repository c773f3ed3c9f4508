"""Secret store for ``.env`` files: ``modelmesh.dotenv.v1``."""

from modelmesh_secret_store_dotenv.store import DotenvStore

__all__ = ["DotenvStore"]

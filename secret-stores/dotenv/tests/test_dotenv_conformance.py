"""Conformance of DotenvStore."""

from __future__ import annotations

from pathlib import Path

import pytest
from modelmesh_secret_store_dotenv import DotenvStore

from modelmesh_cdk.testing import SecretStoreConformance


class TestDotenv(SecretStoreConformance):
    store_class = DotenvStore

    @pytest.fixture
    def store(self, tmp_path: Path) -> DotenvStore:
        file = tmp_path / ".env"
        quoted = {name: "'" + value.replace("'", "\\'") + "'" for name, value in self.secrets.items()}
        file.write_text("".join(f"{name}={value}\n" for name, value in quoted.items()), "utf-8")
        file.chmod(0o600)
        return self.make(path=str(file))

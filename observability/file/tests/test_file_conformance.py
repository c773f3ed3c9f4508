"""Conformance of FileObservability."""

from __future__ import annotations

from pathlib import Path

import pytest
from modelmesh_observability_file import FileObservability

from modelmesh_cdk.testing import ObservabilityConformance


class TestFile(ObservabilityConformance):
    sink_class = FileObservability
    settings = {"path": "{tmp_path}/modelmesh.log"}

    def written(self, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> str:
        return (tmp_path / "modelmesh.log").read_text("utf-8")

"""Conformance tests of TogetherProvider."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from modelmesh_connector_together import TogetherProvider

from modelmesh_cdk.testing import ProviderConformance
from modelmesh_cdk.testing.dialects import OpenAIDialect, written


class TogetherDialect(OpenAIDialect):
    """OpenAI's dialect with a bare model list (``ModelInfoList`` in togethercomputer/openapi, read 2026-11-21)."""

    def write_model_list(self, rows: Sequence[Any], *, more: bool = False) -> bytes:
        return written(json.loads(super().write_model_list(rows, more=more))["data"])


class TestTogether(ProviderConformance):
    provider_class = TogetherProvider
    dialect = TogetherDialect()
    supports_embeddings = True

"""LocalAI's OpenAI-compatible server."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from modelmesh_cdk import ErrorMapping, QuickProvider
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_localai.error_mappings import MAPPINGS
from modelmesh_connector_localai.message_rules import RULES


class LocalAIProvider(QuickProvider):
    """Chat completions and embeddings with the models of a LocalAI server.

    The port is that of localai.io (quickstart, read 2026-11-21). A server that was started with keys requires ``api_key``.
    The model list does not contain capabilities. The connector treats all models as chat models: configure the others under
    ``models``.
    """

    id: ClassVar[str] = "localai.local.v1"
    options: ClassVar[Collection[str]] = ()
    message_rules: ClassVar[MessageRules | None] = RULES
    # localai.io/reference/api-errors, read 2026-11-30
    native_operations: ClassVar[Collection[str]] = frozenset({"responses", "completions", "messages"})
    error_mappings: ClassVar[Sequence[ErrorMapping]] = MAPPINGS
    default_base_url: ClassVar[str] = "http://localhost:8080"
    base_url_variable: ClassVar[str | None] = "LOCALAI_HOST"

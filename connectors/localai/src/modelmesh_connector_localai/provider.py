"""LocalAI's OpenAI-compatible server."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from modelmesh_cdk import ErrorMapping, QuickProvider
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_localai import refusals
from modelmesh_connector_localai.message_rules import RULES


class LocalAIProvider(QuickProvider):
    """Chat completions and embeddings with the models of a LocalAI server has.

    The port is that of localai.io (quickstart, read 2026-11-21). A server that was started with keys requires one as ``api_key``.
    Its list does not state capabilities, so all models count as chat models. List other models under ``models``.
    """

    id: ClassVar[str] = "localai.local.v1"
    options: ClassVar[Collection[str]] = ()
    message_rules: ClassVar[MessageRules | None] = RULES
    error_mappings: ClassVar[Sequence[ErrorMapping]] = refusals.MAPPINGS
    default_base_url: ClassVar[str] = "http://localhost:8080"
    base_url_variable: ClassVar[str | None] = "LOCALAI_HOST"

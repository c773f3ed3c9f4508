"""Codecs of the operations whose format differs from OpenAI's."""

from __future__ import annotations

from collections.abc import Mapping

from modelmesh_cdk import OperationCodec
from modelmesh_connector_fireworks.images import Images
from modelmesh_connector_fireworks.reranking import Rerank

CODECS: Mapping[str, OperationCodec] = {"images.generate": Images(), "rerank": Rerank()}

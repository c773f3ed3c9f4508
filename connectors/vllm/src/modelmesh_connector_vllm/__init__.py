"""vLLM as a provider: ``vllm.local.v1``."""

from modelmesh_connector_vllm.provider import VLLMProvider

__all__ = ["VLLMProvider"]

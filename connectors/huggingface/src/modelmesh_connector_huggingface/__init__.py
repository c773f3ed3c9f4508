"""Hugging Face Inference Providers as a provider: ``huggingface.inference.v1``."""

from modelmesh_connector_huggingface.provider import HuggingFaceProvider

__all__ = ["HuggingFaceProvider"]

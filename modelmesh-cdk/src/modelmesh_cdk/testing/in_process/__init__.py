"""Conformance tests of in-process providers of embeddings, speech and transcriptions."""

from modelmesh_cdk.testing.in_process.embeddings import InProcessEmbeddingsConformance
from modelmesh_cdk.testing.in_process.speech import InProcessSpeechConformance
from modelmesh_cdk.testing.in_process.transcriptions import InProcessTranscriptionConformance

__all__ = ["InProcessEmbeddingsConformance", "InProcessSpeechConformance", "InProcessTranscriptionConformance"]

"""A small speech-to-text model in process: ``modelmesh.local-transcription.v1``."""

from modelmesh_connector_local_transcription.provider import LocalTranscriptionProvider

__all__ = ["LocalTranscriptionProvider"]

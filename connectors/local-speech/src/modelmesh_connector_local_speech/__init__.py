"""A small text-to-speech model in process: ``modelmesh.local-speech.v1``."""

from modelmesh_connector_local_speech.provider import LocalSpeechProvider

__all__ = ["LocalSpeechProvider"]

"""Codecs of the operations whose format differs from OpenAI's."""

from __future__ import annotations

from collections.abc import Mapping

from modelmesh_cdk import OperationCodec
from modelmesh_connector_google.images import Images
from modelmesh_connector_google.speech import Speech
from modelmesh_connector_google.transcriptions import Transcriptions

CODECS: Mapping[str, OperationCodec] = {
    "images.generate": Images(),
    "images.edit": Images(),
    "audio.speech": Speech(),
    "audio.transcriptions": Transcriptions(),
    "audio.translations": Transcriptions(translates=True),
}

"""Codecs of the operations whose format differs from OpenAI's."""

from __future__ import annotations

from collections.abc import Mapping

from modelmesh_cdk import OperationCodec, UnservedOperation
from modelmesh_connector_mistral.audio import Speech, Transcriptions
from modelmesh_connector_mistral.documents import Documents, Moderations

CODECS: Mapping[str, OperationCodec] = {
    "audio.speech": Speech(),
    "audio.transcriptions": Transcriptions(),
    "audio.translations": UnservedOperation("model", "only transcribes"),
    "documents.parse": Documents(),
    "moderations": Moderations(),
}

"""Settings of the local speech model."""

from __future__ import annotations

from attrs import field, frozen

from modelmesh_cdk import InProcessConfig, in_process_settings

ID = "modelmesh.local-speech.v1"
DEFAULT_VOICE = "heart"
"""The only voice that the package contains."""


@frozen(kw_only=True)
class LocalSpeechConfig(InProcessConfig):
    """Settings of the local speech model. Unknown keys are ignored.

    Attributes:
        voice: Voice of requests that name a voice which is not on this machine.
        threads: Threads of the computation. More than one makes the model little faster.
    """

    connector: str = field(default=ID, init=False)
    voice: str = field(default=DEFAULT_VOICE, validator=in_process_settings.text)
    threads: int = field(default=1, validator=in_process_settings.whole_number())

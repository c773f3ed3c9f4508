"""``client.audio``: speech, transcriptions and translations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeAlias, TypedDict, TypeVar, Unpack, overload

from modelmesh.client.binary import BinaryReply, TextReply
from modelmesh.client.parameters import CallExtras
from modelmesh.client.resources.resource import AsyncResource, Awaited, SyncResource, method
from modelmesh.client.shapes.audio import SpeechEvent, Transcription, TranscriptionEvent, Translation
from modelmesh.client.streams import AsyncStream, Stream
from modelmesh.contracts.operations import SPEECH, TRANSCRIPTIONS, TRANSLATIONS

if TYPE_CHECKING:
    from modelmesh._engine.mesh.file_arguments import FileParam
    from modelmesh.client.raw import AsyncStreamedCall, RawResponse, StreamedCall

ReplyT_co = TypeVar("ReplyT_co", covariant=True)
TextT_co = TypeVar("TextT_co", covariant=True)
StreamT_co = TypeVar("StreamT_co", covariant=True)
ReplyT = TypeVar("ReplyT")
TextT = TypeVar("TextT")
StreamT = TypeVar("StreamT")

JsonFormat: TypeAlias = Literal["json", "verbose_json", "diarized_json"]
TextFormat: TypeAlias = Literal["text", "srt", "vtt"]


class _RequiredOfSpeech(TypedDict):
    model: str
    input: str


class SpeechParameters(_RequiredOfSpeech, CallExtras, total=False):
    """Parameters of ``audio.speech.create``, except ``stream_format``."""

    voice: str | Mapping[str, Any] | None
    instructions: str | None
    response_format: str | None
    speed: float | None


class _RequiredOfAudio(TypedDict):
    model: str
    file: FileParam


class TranslationParameters(_RequiredOfAudio, CallExtras, total=False):
    """Parameters of ``audio.translations.create``, except ``response_format``."""

    prompt: str | None
    temperature: float | None


class TranscriptionParameters(_RequiredOfAudio, CallExtras, total=False):
    """Parameters of ``audio.transcriptions.create``, except ``response_format`` and ``stream``."""

    chunking_strategy: str | Mapping[str, Any] | None
    include: Sequence[str] | None
    keywords: Sequence[str] | None
    known_speaker_names: Sequence[str] | None
    known_speaker_references: Sequence[str] | None
    language: str | None
    languages: Sequence[str] | None
    prompt: str | None
    temperature: float | None
    timestamp_granularities: Sequence[Literal["word", "segment"]] | None


class SpeechCreate(Protocol[ReplyT_co, StreamT_co]):
    """Signature of ``audio.speech.create``: audio, or a stream of events with ``stream_format="sse"``."""

    @overload
    def __call__(self, *, stream_format: Literal["audio"] | None = None, **parameters: Unpack[SpeechParameters]) -> ReplyT_co: ...

    @overload
    def __call__(self, *, stream_format: Literal["sse"], **parameters: Unpack[SpeechParameters]) -> StreamT_co: ...

    @overload
    def __call__(self, *, stream_format: str | None, **parameters: Unpack[SpeechParameters]) -> ReplyT_co | StreamT_co: ...

    def __call__(self, **parameters: Any) -> Any:
        """Speak a text. Without ``voice``, the connector chooses one.

        Returns:
            The audio as ``bytes`` with ``write_to_file(path)``, or a stream of events with ``stream_format="sse"``. To write long
            audio to disk as it arrives, use ``with_streaming_response``.

        Raises:
            AllProvidersExhaustedError: Every attempt failed.
            NoActiveModelError: No model is eligible and available.
            BadRequestError: The request itself is wrong, or a file cannot be read. Nothing was sent.
            CapabilityNotFoundError: No pool serves ``model``.
        """
        ...


class TranscriptionsCreate(Protocol[ReplyT_co, TextT_co, StreamT_co]):
    """Signature of ``audio.transcriptions.create``, whose result depends on ``response_format`` and ``stream``."""

    @overload
    def __call__(
        self,
        *,
        response_format: JsonFormat | None = None,
        stream: Literal[False] | None = None,
        **parameters: Unpack[TranscriptionParameters],
    ) -> ReplyT_co: ...

    @overload
    def __call__(
        self, *, response_format: TextFormat, stream: Literal[False] | None = None, **parameters: Unpack[TranscriptionParameters]
    ) -> TextT_co: ...

    @overload
    def __call__(
        self, *, response_format: str | None = None, stream: Literal[True], **parameters: Unpack[TranscriptionParameters]
    ) -> StreamT_co: ...

    @overload
    def __call__(
        self, *, response_format: str | None = None, stream: bool | None = None, **parameters: Unpack[TranscriptionParameters]
    ) -> ReplyT_co | TextT_co | StreamT_co: ...

    def __call__(self, **parameters: Any) -> Any:
        """Transcribe an audio file: a path object, bytes, an open binary file, or a tuple (name, content).

        Returns:
            A transcription, a text with ``response_format`` ``text``, ``srt`` or ``vtt``, or events with ``stream=True``.

        Raises:
            AllProvidersExhaustedError: Every attempt failed.
            NoActiveModelError: No model is eligible and available.
            BadRequestError: The request itself is wrong, or a file cannot be read. Nothing was sent.
            CapabilityNotFoundError: No pool serves ``model``.
        """
        ...


class TranslationsCreate(Protocol[ReplyT_co, TextT_co]):
    """Signature of ``audio.translations.create``, whose result depends on ``response_format``."""

    @overload
    def __call__(
        self, *, response_format: JsonFormat | None = None, **parameters: Unpack[TranslationParameters]
    ) -> ReplyT_co: ...

    @overload
    def __call__(self, *, response_format: TextFormat, **parameters: Unpack[TranslationParameters]) -> TextT_co: ...

    @overload
    def __call__(
        self, *, response_format: str | None = None, **parameters: Unpack[TranslationParameters]
    ) -> ReplyT_co | TextT_co: ...

    def __call__(self, **parameters: Any) -> Any:
        """Translate an audio file to English text.

        Returns:
            A translation, or a text with ``response_format`` ``text``, ``srt`` or ``vtt``.

        Raises:
            AllProvidersExhaustedError: Every attempt failed.
            NoActiveModelError: No model is eligible and available.
            BadRequestError: The request itself is wrong, or a file cannot be read. Nothing was sent.
            CapabilityNotFoundError: No pool serves ``model``.
        """
        ...


class SpeechMethods(Generic[ReplyT, StreamT]):
    """Methods of ``client.audio.speech``."""

    create: SpeechCreate[ReplyT, StreamT] = method(SPEECH, SpeechCreate, SpeechParameters, item=SpeechEvent)


class TranscriptionsMethods(Generic[ReplyT, TextT, StreamT]):
    """Methods of ``client.audio.transcriptions``."""

    create: TranscriptionsCreate[ReplyT, TextT, StreamT] = method(
        TRANSCRIPTIONS, TranscriptionsCreate, TranscriptionParameters, reply=Transcription, item=TranscriptionEvent
    )


class TranslationsMethods(Generic[ReplyT, TextT]):
    """Methods of ``client.audio.translations``."""

    create: TranslationsCreate[ReplyT, TextT] = method(TRANSLATIONS, TranslationsCreate, TranslationParameters, reply=Translation)


class Speech(SyncResource, SpeechMethods[BinaryReply, Stream[SpeechEvent]]):
    """``client.audio.speech``."""

    _prefix = "audio.speech."

    if TYPE_CHECKING:
        with_raw_response: SpeechMethods[RawResponse[BinaryReply], RawResponse[Stream[SpeechEvent]]]
        with_streaming_response: SpeechMethods[StreamedCall, StreamedCall]


class AsyncSpeech(AsyncResource, SpeechMethods[Awaited[BinaryReply], Awaited[AsyncStream[SpeechEvent]]]):
    """``client.audio.speech``."""

    _prefix = "audio.speech."

    if TYPE_CHECKING:
        with_raw_response: SpeechMethods[Awaited[RawResponse[BinaryReply]], Awaited[RawResponse[AsyncStream[SpeechEvent]]]]
        with_streaming_response: SpeechMethods[AsyncStreamedCall, AsyncStreamedCall]


class Transcriptions(SyncResource, TranscriptionsMethods[Transcription, TextReply, Stream[TranscriptionEvent]]):
    """``client.audio.transcriptions``."""

    _prefix = "audio.transcriptions."

    if TYPE_CHECKING:
        with_raw_response: TranscriptionsMethods[
            RawResponse[Transcription], RawResponse[TextReply], RawResponse[Stream[TranscriptionEvent]]
        ]
        with_streaming_response: TranscriptionsMethods[StreamedCall, StreamedCall, StreamedCall]


class AsyncTranscriptions(
    AsyncResource, TranscriptionsMethods[Awaited[Transcription], Awaited[TextReply], Awaited[AsyncStream[TranscriptionEvent]]]
):
    """``client.audio.transcriptions``."""

    _prefix = "audio.transcriptions."

    if TYPE_CHECKING:
        with_raw_response: TranscriptionsMethods[
            Awaited[RawResponse[Transcription]],
            Awaited[RawResponse[TextReply]],
            Awaited[RawResponse[AsyncStream[TranscriptionEvent]]],
        ]
        with_streaming_response: TranscriptionsMethods[AsyncStreamedCall, AsyncStreamedCall, AsyncStreamedCall]


class Translations(SyncResource, TranslationsMethods[Translation, TextReply]):
    """``client.audio.translations``."""

    _prefix = "audio.translations."

    if TYPE_CHECKING:
        with_raw_response: TranslationsMethods[RawResponse[Translation], RawResponse[TextReply]]
        with_streaming_response: TranslationsMethods[StreamedCall, StreamedCall]


class AsyncTranslations(AsyncResource, TranslationsMethods[Awaited[Translation], Awaited[TextReply]]):
    """``client.audio.translations``."""

    _prefix = "audio.translations."

    if TYPE_CHECKING:
        with_raw_response: TranslationsMethods[Awaited[RawResponse[Translation]], Awaited[RawResponse[TextReply]]]
        with_streaming_response: TranslationsMethods[AsyncStreamedCall, AsyncStreamedCall]


class Audio(SyncResource):
    """``client.audio``."""

    _prefix = "audio."

    @cached_property
    def speech(self) -> Speech:
        """``client.audio.speech``."""
        return Speech(self._requests, self._defaults)

    @cached_property
    def transcriptions(self) -> Transcriptions:
        """``client.audio.transcriptions``."""
        return Transcriptions(self._requests, self._defaults)

    @cached_property
    def translations(self) -> Translations:
        """``client.audio.translations``."""
        return Translations(self._requests, self._defaults)


class AsyncAudio(AsyncResource):
    """``client.audio``."""

    _prefix = "audio."

    @cached_property
    def speech(self) -> AsyncSpeech:
        """``client.audio.speech``."""
        return AsyncSpeech(self._requests, self._defaults)

    @cached_property
    def transcriptions(self) -> AsyncTranscriptions:
        """``client.audio.transcriptions``."""
        return AsyncTranscriptions(self._requests, self._defaults)

    @cached_property
    def translations(self) -> AsyncTranslations:
        """``client.audio.translations``."""
        return AsyncTranslations(self._requests, self._defaults)

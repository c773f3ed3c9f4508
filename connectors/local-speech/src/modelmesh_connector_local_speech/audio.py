"""Encoding of samples as audio in pieces: each piece can be sent before the next sentence is spoken."""

from __future__ import annotations

import importlib
import struct
from typing import Any, Protocol

from attrs import frozen

SAMPLE_RATE = 24_000
UNKNOWN_SIZE = 0xFFFFFFFF
"""Size in the header of a WAV stream whose end is not known yet, as OpenAI sends it."""
WAV_HEADER = "<4sI4s4sIHHIIHH4sI"
FULL_SCALE = 32767


@frozen
class AudioFormat:
    """One format of audio.

    Attributes:
        media_type: Media type.
        container: Name of the container in FFmpeg. Empty for a format that needs no library.
        codec: Name of the encoder in FFmpeg.
        sample_format: Format of the samples that the encoder takes.
        bit_rate: Bits per second, 0 for a format without loss.
    """

    media_type: str
    container: str = ""
    codec: str = ""
    sample_format: str = "s16"
    bit_rate: int = 0


FORMATS = {
    "mp3": AudioFormat("audio/mpeg", "mp3", "libmp3lame", "s16p", 64_000),
    "opus": AudioFormat("audio/ogg", "ogg", "libopus", "s16", 32_000),
    "aac": AudioFormat("audio/aac", "adts", "aac", "fltp", 64_000),
    "flac": AudioFormat("audio/flac", "flac", "flac"),
    "wav": AudioFormat("audio/wav"),
    "pcm": AudioFormat("audio/pcm"),
}
"""Formats by the values of ``response_format``. PCM has 16 bits, little-endian, at 24 kHz, as OpenAI's."""


class Encoder(Protocol):
    """Encoder of one audio file."""

    def feed(self, samples: Any) -> bytes:
        """Return the bytes that follow from samples, an array of 32-bit floats from -1 to 1. Possibly none."""
        ...

    def end(self) -> bytes:
        """Return the last bytes."""
        ...


def make_encoder(name: str) -> Encoder:
    """Return an encoder of a format."""
    kind = FORMATS[name]
    return _LibraryEncoder(kind) if kind.container else _PlainEncoder(has_header=name == "wav")


def complete_wav(audio: bytes) -> bytes:
    """Return a WAV file with the sizes in its header, made of a stream."""
    header = struct.calcsize(WAV_HEADER)
    return _wav_header(len(audio) - header) + audio[header:]


def _wav_header(size: int) -> bytes:
    whole = min(size + struct.calcsize(WAV_HEADER) - 8, UNKNOWN_SIZE)
    rates = (SAMPLE_RATE, 2 * SAMPLE_RATE, 2, 16)
    return struct.pack(WAV_HEADER, b"RIFF", whole, b"WAVE", b"fmt ", 16, 1, 1, *rates, b"data", min(size, UNKNOWN_SIZE))


def _to_integers(samples: Any) -> Any:
    return (samples.clip(-1.0, 1.0) * FULL_SCALE).astype("<i2")


class _PlainEncoder:
    """Encoder of samples as they are."""

    def __init__(self, *, has_header: bool) -> None:
        self._head = _wav_header(UNKNOWN_SIZE) if has_header else b""

    def feed(self, samples: Any) -> bytes:
        head, self._head = self._head, b""
        return head + bytes(_to_integers(samples).tobytes())

    def end(self) -> bytes:
        return self._head


class _LibraryEncoder:
    """Encoder of FFmpeg, by the package ``av``."""

    def __init__(self, kind: AudioFormat) -> None:
        self._av = importlib.import_module("av")
        self._written = bytearray()
        self._container = self._av.open(_Writer(self._written), "w", format=kind.container)
        self._stream = self._container.add_stream(kind.codec, rate=SAMPLE_RATE)
        self._stream.codec_context.layout = "mono"
        self._stream.codec_context.format = kind.sample_format
        if kind.bit_rate:
            self._stream.codec_context.bit_rate = kind.bit_rate
        self._done = 0

    def feed(self, samples: Any) -> bytes:
        frame = self._av.AudioFrame.from_ndarray(_to_integers(samples).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.pts = self._done
        self._done += frame.samples
        for packet in self._stream.encode(frame):
            self._container.mux(packet)
        return self._take()

    def end(self) -> bytes:
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        self._container.close()
        return self._take()

    def _take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


class _Writer:
    """Output of FFmpeg that can only grow, as that of a stream."""

    def __init__(self, written: bytearray) -> None:
        self._written = written

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

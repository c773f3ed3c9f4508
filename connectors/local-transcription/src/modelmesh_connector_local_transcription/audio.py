"""Decoding of a file to samples in parts, so that a long file needs little memory and can be stopped."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from modelmesh.contracts import FileUpload
from modelmesh_cdk import invalid_parameter

SAMPLE_RATE = 16_000
PART_S = 120
"""Longest part of a recording that is held in memory."""
SEARCH_S = 10
"""Last seconds of a part, where the quietest moment divides it from the next one."""
MOMENT = SAMPLE_RATE // 10


def read_parts(file: FileUpload) -> Iterator[Any]:
    """Yield arrays of 32-bit floats at 16 kHz, and ``None`` while a part is read.

    Raises:
        ProviderError: The file is no audio.
    """
    numpy = importlib.import_module("numpy")
    held: list[Any] = []
    size = 0
    with file.open() as opened:
        for block in _blocks(opened, file):
            held.append(block)
            size += len(block)
            if size < PART_S * SAMPLE_RATE:
                yield None
                continue
            samples = numpy.concatenate(held)
            cut = _quietest(numpy, samples)
            yield _floats(numpy, samples[:cut])
            held, size = [samples[cut:]], len(samples) - cut
    if size:
        yield _floats(numpy, numpy.concatenate(held))


def _blocks(opened: BinaryIO, file: FileUpload) -> Iterator[Any]:
    av = importlib.import_module("av")
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    try:
        container = av.open(opened, mode="r", metadata_errors="ignore")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise _no_audio(file, getattr(error, "strerror", None) or str(error)) from None
    with container:
        if not container.streams.audio:
            raise _no_audio(file, "it has no audio track")
        for frame in _frames(av, container):
            yield from (part.to_ndarray()[0] for part in resampler.resample(frame))
        yield from (part.to_ndarray()[0] for part in resampler.resample(None))


def _frames(av: Any, container: Any) -> Iterator[Any]:
    """Yield frames without the damaged ones. The time stamps are removed, because recordings often have wrong ones."""
    frames = container.decode(audio=0)
    while True:
        try:
            frame = next(frames)
        except StopIteration:
            return
        except av.error.InvalidDataError:
            continue
        frame.pts = None
        yield frame


def _quietest(numpy: Any, samples: Any) -> int:
    """Return the place of the quietest moment at the end of a part."""
    tail = samples[-SEARCH_S * SAMPLE_RATE :]
    moments = len(tail) // MOMENT
    loudness = numpy.abs(tail[: moments * MOMENT].astype(numpy.int32)).reshape(moments, MOMENT).sum(axis=1)
    return len(samples) - len(tail) + int(loudness.argmin()) * MOMENT + MOMENT // 2


def _floats(numpy: Any, samples: Any) -> Any:
    return samples.astype(numpy.float32) / 32768.0


def _no_audio(file: FileUpload, why: str) -> Exception:
    return invalid_parameter("file", f"({file.filename!r}, {file.size} bytes) cannot be decoded as audio: {why}", "an audio file")

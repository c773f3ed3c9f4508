"""Expected sizes of images, audio and documents, for reservations before an answer.

Tokens of images and of audio are those that OpenAI documents (platform.openai.com, guides on image generation and pages of the
models gpt-image-1, gpt-4o-mini-tts and gpt-4o-transcribe, as read in the openai package 3.52.0 and in genai-prices 0.2.3 on
2026-11-30). They are assumptions, not prices: settlement uses the usage that the vendor reports.
"""

from __future__ import annotations

from typing import NamedTuple


class Level(NamedTuple):
    """A value at three levels of caution.

    Attributes:
        estimated: The typical value.
        prudent: A value that is seldom exceeded.
        most: A value that is not exceeded.
    """

    estimated: float
    prudent: float
    most: float

    def times(self, number: float) -> Level:
        """Return the level of several."""
        return Level(*(value * number for value in self))


HEARD_TOKENS_OF_A_RESPONSE, SPOKEN_TOKENS_OF_A_RESPONSE = Level(200, 1_000, 32_000), Level(200, 1_200, 4_096)
"""Prompt and completion tokens of audio of one response of a realtime session: 10 tokens for a second of the caller and 20 for a
second of the model (developers.openai.com/api/docs/guides/realtime-costs), at most the context window and the longest answer of
gpt-realtime-1.5 (developers.openai.com/api/docs/models/gpt-realtime-1.5), both read 2026-11-30."""

DOCUMENTS_OF_A_SEARCH = 100
"""Documents of one search unit (docs.cohere.com/docs/how-does-cohere-pricing-work, read 2026-11-30)."""

MOST_PAGES = 1000
"""Pages of the longest document (docs.mistral.ai, OCR, read 2026-11-30)."""

PAGES = Level(10, 50, MOST_PAGES)
"""Pages of a document whose request names none."""

AUDIO_TOKENS_OF_A_CHARACTER = Level(1.4, 2.5, 6.0)
"""Audio tokens of one spoken character: 1,250 tokens and 900 characters a minute."""

AUDIO_TOKENS_OF_A_SECOND, TEXT_TOKENS_OF_A_SECOND = Level(17, 17, 25), Level(3, 5, 10)
"""Prompt and completion tokens of a second of audio to transcribe."""

UNCOMPRESSED = ("wav", "x-wav", "wave", "flac", "pcm", "l16")
"""File endings and media subtypes of audio with a high rate of bytes."""

BYTES_OF_A_SECOND = {True: Level(32_000, 16_000, 8_000), False: Level(8_000, 4_000, 1_000)}
"""Bytes of a second of audio: of uncompressed and of compressed formats. Fewer bytes a second make a longer duration."""

TOKENS_OF_AN_IMAGE = {"low": Level(272, 408, 408), "medium": Level(1056, 1584, 1584), "high": Level(4160, 6240, 6240)}
"""Completion tokens of a generated image by its quality."""

TOKENS_OF_ANY_IMAGE = Level(1056, 6240, 6240)
"""Completion tokens of a generated image of unknown quality."""

TOKENS_OF_AN_INPUT_IMAGE = Level(1_000, 6_000, 6_000)
"""Prompt tokens of an image to edit."""

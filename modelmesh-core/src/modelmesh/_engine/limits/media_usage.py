"""Usage of operations that are not text generation: counted where the request or the answer shows it, else expected.

The request shows the characters to speak, the number of images and the searches. The answer shows the seconds of audio and the
pages. Before the answer, and without a report, they are expected from the request, with the numbers of :mod:`.media_levels`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from modelmesh._engine.limits.media_levels import (
    AUDIO_TOKENS_OF_A_CHARACTER,
    AUDIO_TOKENS_OF_A_SECOND,
    BYTES_OF_A_SECOND,
    DOCUMENTS_OF_A_SEARCH,
    HEARD_TOKENS_OF_A_RESPONSE,
    PAGES,
    SPOKEN_TOKENS_OF_A_RESPONSE,
    TEXT_TOKENS_OF_A_SECOND,
    TOKENS_OF_AN_IMAGE,
    TOKENS_OF_AN_INPUT_IMAGE,
    TOKENS_OF_ANY_IMAGE,
    UNCOMPRESSED,
    Level,
)
from modelmesh.contracts.files import FileUpload
from modelmesh.contracts.operations import (
    CHAT,
    COMPLETIONS,
    DOCUMENTS,
    EMBEDDINGS,
    IMAGE_EDITS,
    IMAGES,
    MESSAGES,
    REALTIME,
    RERANK,
    RESPONSES,
    SEARCH,
    SPEECH,
    TRANSCRIPTIONS,
    TRANSLATIONS,
)

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call, PromptSize

_TEXT = frozenset({CHAT.name, COMPLETIONS.name, RESPONSES.name, MESSAGES.name, EMBEDDINGS.name})


class ExpectedUsage(NamedTuple):
    """Usage of a request before it is sent, in the format of :func:`.cost_nano_usd`."""

    estimated: dict[str, Any]
    prudent: dict[str, Any]
    most: dict[str, Any]


def is_media(call: Call) -> bool:
    """Return whether a request is none for text or embeddings, so that more than its text determines what it consumes."""
    return call.operation.name not in _TEXT


def expected_usage(call: Call, size: PromptSize) -> ExpectedUsage:
    """Return the expected usage of a request that does not generate text.

    Args:
        call: The request.
        size: Estimated size of its text.
    """
    counted = counted_units(call)
    levels = dict(_levels(call))
    prompts = (size.estimated, size.prudent, size.most)
    return ExpectedUsage(*(_at(place, counted, levels, prompts[place]) for place in range(3)))


def _at(place: int, counted: Mapping[str, Any], levels: Mapping[str, Level], prompt: int) -> dict[str, Any]:
    usage: dict[str, Any] = dict(counted)
    details: dict[str, dict[str, int]] = {"prompt_tokens": {}, "completion_tokens": {}}
    tokens = {"prompt_tokens": prompt, "completion_tokens": 0}
    for name, level in levels.items():
        side, _, kind = name.partition(".")
        if kind:
            count = round(level[place])
            tokens[side] += count
            details[side][f"{kind}_tokens"] = count
        else:
            usage[name] = level[place]
    usage |= tokens
    for side, kinds in details.items():
        if kinds:
            usage[f"{side}_details"] = kinds
    return usage


def counted_units(call: Call, body: Any = None) -> dict[str, float]:
    """Return the units that the request or the answer shows.

    Args:
        call: The request.
        body: The answer, ``None`` before it and for a stream.
    """
    name, payload = call.operation.name, call.payload
    found: dict[str, float] = {}
    if name == SPEECH.name and isinstance(payload.get("input"), str):
        found["characters"] = len(payload["input"])
    elif name in (IMAGES.name, IMAGE_EDITS.name):
        rows = body.get("data") if isinstance(body, Mapping) else None
        found["images"] = len(rows) if isinstance(rows, list) else _number_of_images(payload)
    elif name == SEARCH.name:
        found["searches"] = 1
    elif name == RERANK.name:
        found["searches"] = _billed_searches(body) or _searches(payload.get("documents"))
    elif name in (TRANSCRIPTIONS.name, TRANSLATIONS.name):
        found |= _seconds(body)
    elif name == DOCUMENTS.name:
        found |= _pages(body)
    return found


def _levels(call: Call) -> Iterator[tuple[str, Level]]:
    """Yield the parts that only an answer shows: ``side.kind`` for tokens of a medium, else the name of a unit."""
    name, payload = call.operation.name, call.payload
    if name == SPEECH.name and isinstance(payload.get("input"), str):
        yield "completion_tokens.audio", AUDIO_TOKENS_OF_A_CHARACTER.times(len(payload["input"]))
    elif name in (IMAGES.name, IMAGE_EDITS.name):
        each = TOKENS_OF_AN_IMAGE.get(str(payload.get("quality")), TOKENS_OF_ANY_IMAGE)
        yield "completion_tokens.image", each.times(_number_of_images(payload))
        given = len(list(_files(payload.get("image")))) + len(list(_files(payload.get("mask"))))
        if given:
            yield "prompt_tokens.image", TOKENS_OF_AN_INPUT_IMAGE.times(given)
    elif name in (TRANSCRIPTIONS.name, TRANSLATIONS.name):
        seconds = expected_seconds(payload.get("file"))
        yield "audio_seconds", seconds
        yield "prompt_tokens.audio", Level(*(a * b for a, b in zip(seconds, AUDIO_TOKENS_OF_A_SECOND, strict=True)))
        yield "completion_tokens.text", Level(*(a * b for a, b in zip(seconds, TEXT_TOKENS_OF_A_SECOND, strict=True)))
    elif name == REALTIME.name:
        yield "prompt_tokens.audio", HEARD_TOKENS_OF_A_RESPONSE
        yield "completion_tokens.audio", SPOKEN_TOKENS_OF_A_RESPONSE
    elif name == DOCUMENTS.name:
        wanted = payload.get("pages")
        yield "pages", PAGES if not isinstance(wanted, list) else Level(*[len(wanted)] * 3)


def expected_seconds(file: Any) -> Level:
    """Return the expected duration of an audio file, from its size and format. An unknown file lasts a minute."""
    if not isinstance(file, FileUpload):
        return Level(60, 600, 3600)
    ending = file.filename.rpartition(".")[2].lower()
    rate = BYTES_OF_A_SECOND[ending in UNCOMPRESSED or file.content_type.rpartition("/")[2].lower() in UNCOMPRESSED]
    return Level(*(file.size / bytes_of_a_second for bytes_of_a_second in rate))


def _number_of_images(payload: Mapping[str, Any]) -> int:
    stated = payload.get("n")
    return stated if isinstance(stated, int) and not isinstance(stated, bool) and stated > 0 else 1


def _files(value: Any) -> Iterator[FileUpload]:
    for one in value if isinstance(value, list | tuple) else (value,):
        if isinstance(one, FileUpload):
            yield one


def _searches(documents: Any) -> int:
    number = len(documents) if isinstance(documents, Sequence) and not isinstance(documents, str) else 1
    return max(-(-number // DOCUMENTS_OF_A_SEARCH), 1)


def _billed_searches(body: Any) -> float | None:
    meta = body.get("meta") if isinstance(body, Mapping) else None
    billed = meta.get("billed_units") if isinstance(meta, Mapping) else None
    return _number(billed.get("search_units")) if isinstance(billed, Mapping) else None


def _seconds(body: Any) -> dict[str, float]:
    """Return the seconds of a transcription: of its usage, else of ``verbose_json``."""
    if not isinstance(body, Mapping):
        return {}
    usage = body.get("usage")
    stated = usage.get("seconds") if isinstance(usage, Mapping) and usage.get("type") == "duration" else body.get("duration")
    seconds = _number(stated)
    return {} if seconds is None else {"audio_seconds": seconds}


def _pages(body: Any) -> dict[str, float]:
    if not isinstance(body, Mapping):
        return {}
    usage, pages = body.get("usage_info"), body.get("pages")
    processed = _number(usage.get("pages_processed")) if isinstance(usage, Mapping) else None
    if processed is None and isinstance(pages, list):
        processed = len(pages)
    return {} if processed is None else {"pages": processed}


def _number(value: Any) -> float | None:
    """Return a plausible amount. Some vendors report a duration as text."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    plausible = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 10**9
    return value if plausible else None

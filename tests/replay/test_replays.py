"""Recorded responses, read by the vendors' SDKs and by us: equal text, tool calls, usage and end.

``README.md`` in this folder lists the sources and the missing recordings.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve
from replaying import counterparts, ours
from replaying.readings import Reading
from replaying.recorded import Recording, recordings

from modelmesh import errors

ANSWERS, STREAMS = recordings("answers"), recordings("streams")
BOTH = pytest.mark.parametrize("in_task", [False, True], ids=["thread", "task"])


def each(found: list[Recording]) -> Any:
    return pytest.mark.parametrize("recording", found, ids=[one.label for one in found])


def same(ours_: Reading, theirs: Reading) -> None:
    """Compare two readings. A call without an ID gets one from us, because OpenAI's format requires IDs."""
    assert len(ours_.calls) == len(theirs.calls)
    assert all(id_ for id_, _, _ in ours_.calls)
    calls = tuple(
        (mine[0] if call[0] is None else call[0], *call[1:]) for mine, call in zip(ours_.calls, theirs.calls, strict=True)
    )
    assert ours_ == evolve(theirs, calls=calls)


@each(ANSWERS + STREAMS)
@BOTH
def test_response_equals_the_sdks(recording: Recording, in_task: bool, upstream: Any) -> None:
    upstream.always(recording.script())
    theirs = counterparts.read(recording, upstream.url)
    assert theirs.text or theirs.calls
    assert theirs.finish
    assert theirs.total
    same(ours.read(recording, upstream.url, in_task=in_task), theirs)


@each(STREAMS)
@BOTH
@pytest.mark.parametrize("size", [1, 61])
def test_stream_is_independent_of_splits(recording: Recording, in_task: bool, size: int, upstream: Any) -> None:
    upstream.always(recording.script())
    whole = ours.read(recording, upstream.url, in_task=in_task)
    upstream.always(recording.script(size))
    cut = ours.read(recording, upstream.url, in_task=in_task)
    same(cut, whole)


# -- error responses --------------------------------------------------------------------------------------------------

CLASSES = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    404: errors.ModelNotFoundError,
    500: errors.ProviderServerError,
}
OTHERWISE = {
    "google/error-400": errors.AuthenticationError
}  # a bad key is INVALID_ARGUMENT at Google, with the details in its reason


def refused(recording: Recording, url: str) -> Any:
    with pytest.raises(counterparts.SDK_ERRORS) as caught:
        counterparts.read(recording, url)
    return caught.value


@each(recordings("errors"))
@BOTH
def test_error_equals_the_sdks(recording: Recording, in_task: bool, upstream: Any) -> None:
    upstream.always(recording.script())
    theirs = refused(recording, upstream.url)
    with pytest.raises(errors.ProviderError) as caught:
        ours.ask(recording, upstream.url, in_task=in_task)
    body = json.loads(recording.answer)
    words = body.get("error", body)["message"]
    status = theirs.code if recording.vendor == "google" else theirs.status_code
    assert caught.value.status == status == recording.status
    assert type(caught.value) is OTHERWISE.get(recording.label, CLASSES[status])
    assert words in str(theirs)
    assert words in str(caught.value) or type(caught.value) is not errors.BadRequestError  # others report it in the body only
    assert caught.value.body == body


@each(recordings("broken"))
@BOTH
@pytest.mark.parametrize("size", [None, 7])
def test_stream_with_error_event_raises(recording: Recording, in_task: bool, size: int | None, upstream: Any) -> None:
    upstream.always(recording.script())
    theirs = refused(recording, upstream.url)
    upstream.always(recording.script(size))
    with pytest.raises(errors.ProviderError) as caught:
        ours.ask(recording, upstream.url, in_task=in_task)
    assert caught.value.status == 400
    assert theirs.message in str(caught.value)


@BOTH
def test_stream_without_end_is_interrupted(in_task: bool, upstream: Any) -> None:
    (recording,) = [one for one in recordings("broken") if one.vendor == "groq"]
    upstream.always(recording.script())
    with pytest.raises(errors.StreamInterruptedError) as caught:
        ours.read(recording, upstream.url, in_task=in_task)
    assert (caught.value.status, caught.value.code, caught.value.partial_text) == (400, "tool_use_failed", "")


@BOTH
def test_stream_ignores_data_after_its_end(in_task: bool, upstream: Any) -> None:
    # OpenRouter ended the answer, with "length", and then sent an error. The SDK raises; an application of ours has its answer.
    (recording,) = [one for one in recordings("broken") if one.vendor == "openrouter"]
    upstream.always(recording.script())
    assert ours.read(recording, upstream.url, in_task=in_task).finish == "length"

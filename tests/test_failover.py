"""Failover between two providers within one call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import modelmesh
from modelmesh.errors import (
    AllProvidersExhaustedError,
    AuthenticationError,
    BadRequestError,
    ModelNotFoundError,
    ProviderConnectionError,
    ProviderError,
    ProviderServerError,
    ProviderTimeoutError,
    RateLimitError,
    StreamInterruptedError,
)
from modelmesh_cdk.testing import Script, Upstream
from modelmesh_cdk.testing.upstream import CONTINUE, chunk, event, text_stream

MESSAGES = [{"role": "user", "content": "Hello!"}]

FAULTS: dict[str, tuple[Script, str]] = {
    "500": (Script(500, b'{"error": {"message": "x"}}'), "server"),
    "503 with html": (Script(503, b"<html>down</html>", content_type="text/html"), "server"),
    "529": (Script(529, b"{}"), "server"),
    "429": (Script(429, b"{}"), "throttle"),
    "429 with a delay": (Script(429, b"{}", {"Retry-After": "30"}), "throttle"),
    "429 used up": (Script(429, b'{"error": {"code": "insufficient_quota"}}'), "quota"),
    "401": (Script(401, b'{"error": {"message": "bad key"}}'), "credential"),
    "403": (Script(403, b"{}"), "permission"),
    "404": (Script(404, b"{}"), "refused"),
    "404 of a model": (Script(404, b'{"error": {"code": "model_not_found"}}'), "not-found"),
    "402": (Script(402, b"{}"), "quota"),
    "redirect": (Script(302, b"", {"Location": "http://127.0.0.2:9/"}), "misconfigured"),
    "200 not json": (Script(200, b"<html>hello</html>", content_type="text/html"), "protocol"),
    "200 with an error": (Script(200, b'{"error": {"message": "no"}}'), "protocol"),
    "200 without choices": (Script(200, b'{"id": "x", "choices": []}'), "protocol"),
    "200 empty": (Script(200, b""), "protocol"),
    "200 cut": (Script(200, b'{"id": "x", "choi', cut=True), "protocol"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_failover_to_the_second_provider(
    fault: str, ask: Callable[..., Any], config: Any, upstream: Upstream, other: Upstream
) -> None:
    script, failure = FAULTS[fault]
    upstream.always(script)
    asked = ask(config(upstream.url, other.url))
    assert (asked.text, asked.model) == ("Hello!", "model-b")
    assert [attempt.provider_id for attempt in asked.attempts] == ["a", "b"]
    assert asked.attempts[0].failure == failure
    assert len(upstream.received) == len(other.received) == 1


def test_failover_after_a_refused_connection(ask: Callable[..., Any], config: Any, refused: str, other: Upstream) -> None:
    asked = ask(config(refused, other.url))
    assert (asked.text, asked.model) == ("Hello!", "model-b")
    assert asked.attempts[0].failure == "connect"
    assert asked.attempts[0].billed == "no"


def test_failover_after_a_timeout(ask: Callable[..., Any], config: Any, upstream: Upstream, other: Upstream) -> None:
    upstream.always(Script(delay=30))
    given = config(upstream.url, other.url)
    given["providers"]["a"] |= {"timeout": "200ms", "timeouts": {"first_content": "200ms"}}
    asked = ask(given)
    assert (asked.text, asked.model) == ("Hello!", "model-b")
    assert asked.attempts[0].failure == "timeout"


def test_stream_comment_lines_do_not_extend_the_limit(
    ask: Callable[..., Any], config: Any, upstream: Upstream, other: Upstream
) -> None:
    upstream.always(Script(body=[b": keep-alive\n\n", b": keep-alive\n\n", CONTINUE], content_type="text/event-stream"))
    given = config(upstream.url, other.url)
    given["providers"]["a"] |= {"timeout": "300ms", "timeouts": {"first_content": "300ms"}}
    asked = ask(given)
    assert (asked.text, asked.model) == ("Hello!", "model-b")


BEFORE_CONTENT = {
    "role only": [event(chunk({"role": "assistant", "content": ""}))],
    "nothing": [],
    "only done": [event("[DONE]")],
    "error first": [event({"error": {"message": "no", "type": "server_error", "code": None}})],
    "role, then error": [event(chunk({"role": "assistant"})), event({"error": {"message": "no", "code": "rate_limit_exceeded"}})],
    "bad json": [b"data: {nope\n\n"],
    "bad utf-8": [b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n'],
}


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("fault", BEFORE_CONTENT)
def test_stream_failure_before_content_fails_over(
    fault: str, cut: bool, config: Any, upstream: Upstream, other: Upstream
) -> None:
    upstream.always(Script(body=BEFORE_CONTENT[fault], content_type="text/event-stream", cut=cut))
    with modelmesh.create(config=config(upstream.url, other.url)) as client:
        stream = client.chat.completions.create(model="chat-completion", messages=MESSAGES, stream=True)
        assert "".join(part.choices[0].delta.content or "" for part in stream) == "Hello!"
        assert stream.model == "model-b"


AFTER_CONTENT = {
    "clean end": (text_stream("HEL", "LO ", done=False, finish=None), False),
    "done without finish": (text_stream("HEL", "LO ", finish=None), False),
    "cut": (text_stream("HEL", "LO ", done=False, finish=None), True),
    "error": ([*text_stream("HEL", "LO ", done=False, finish=None), event({"error": {"message": "no"}})], False),
    "bad json": ([*text_stream("HEL", "LO ", done=False, finish=None), b"data: {nope\n\n"], False),
}


@pytest.mark.parametrize("fault", AFTER_CONTENT)
def test_stream_failure_after_content_raises(fault: str, config: Any, upstream: Upstream, other: Upstream) -> None:
    pieces, cut = AFTER_CONTENT[fault]
    upstream.always(Script(body=pieces, content_type="text/event-stream", cut=cut))
    seen = []
    with modelmesh.create(config=config(upstream.url, other.url)) as client, pytest.raises(StreamInterruptedError) as caught:
        for part in client.chat.completions.create(model="chat-completion", messages=MESSAGES, stream=True):
            seen.append(part.choices[0].delta.content or "")
    assert "".join(seen) == caught.value.partial_text == "HELLO "
    assert caught.value.provider_id == "a"
    assert other.received == []


def test_stream_finished_without_done_is_complete(ask: Callable[..., Any], config: Any, upstream: Upstream) -> None:
    upstream.always(
        lambda request: (
            Script(body=text_stream("Hello!", done=False), content_type="text/event-stream")
            if request.json.get("stream")
            else Script(body=b'{"id": "x", "choices": [{"index": 0, "finish_reason": "stop", "message": {"content": "Hello!"}}]}')
        )
    )
    assert ask(config(upstream.url)).text == "Hello!"


def test_failover_hundred_calls_are_answered(config: Any, upstream: Upstream, other: Upstream) -> None:
    upstream.always(Script(500, b"{}"))
    with modelmesh.create(config=config(upstream.url, other.url)) as client:
        answers = [client.chat.completions.create(model="chat-completion", messages=MESSAGES).content for _ in range(100)]
    assert answers == ["Hello!"] * 100
    assert len(other.received) == 100


UNEXPLAINED = (400, 404, 405, 409, 411, 413, 415, 418, 422, 501, 505)
NO_SUCH = b'{"error": {"message": "no such parameter", "code": "bad", "param": "x"}}'


@pytest.mark.parametrize("status", UNEXPLAINED)
def test_refusal_is_tried_at_one_other_account(
    status: int, ask: Callable[..., Any], config: Any, upstream: Upstream, other: Upstream
) -> None:
    upstream.always(Script(status, NO_SUCH))
    asked = ask(config(upstream.url, other.url))
    assert (asked.text, asked.model) == ("Hello!", "model-b")
    assert [attempt.failure for attempt in asked.attempts] == ["refused", None]


@pytest.mark.parametrize("status", UNEXPLAINED)
def test_refusal_by_two_accounts_raises_the_first(status: int, config: Any, upstream: Upstream, other: Upstream) -> None:
    upstream.always(Script(status, NO_SUCH))
    other.always(Script(400, b'{"error": {"message": "messages: too few", "code": "worse"}}'))
    with modelmesh.create(config=config(upstream.url, other.url)) as client:
        for _ in range(5):
            with pytest.raises(ProviderError, match="no such parameter") as caught:
                client.chat.completions.create(model="chat-completion", messages=MESSAGES)
        assert isinstance(caught.value, {404: ModelNotFoundError, 409: ProviderServerError}.get(status, BadRequestError))
        assert (caught.value.status, caught.value.code) == (status, "bad")
        assert caught.value.body["error"]["param"] == "x"
        assert [(a.provider_id, a.status, a.code) for a in caught.value.attempts] == [("a", status, "bad"), ("b", 400, "worse")]
        status_now = client.pool_status()["chat-completion"]
        assert (status_now.active, status_now.current_model) == (2, "model-a")
        assert [c.failure_count for c in client.mesh.list_models()] == [0, 0]
    assert len(upstream.received) == len(other.received) == 5


def test_refusal_of_the_only_account_is_raised_unchanged(config: Any, upstream: Upstream) -> None:
    upstream.always(Script(400, NO_SUCH))
    with modelmesh.create(config=config(upstream.url)) as client, pytest.raises(BadRequestError, match="no such") as caught:
        client.chat.completions.create(model="chat-completion", messages=MESSAGES)
    assert (caught.value.status, caught.value.code, len(caught.value.attempts)) == (400, "bad", 1)
    assert len(upstream.received) == 1


def test_refusal_and_an_outage_raise_the_refusal(config: Any, upstream: Upstream, other: Upstream) -> None:
    upstream.always(Script(400, NO_SUCH))
    other.always(Script(401, b"{}"))
    with (
        modelmesh.create(config=config(upstream.url, other.url)) as client,
        pytest.raises(BadRequestError, match="no such") as caught,
    ):
        client.chat.completions.create(model="chat-completion", messages=MESSAGES)
    assert [attempt.failure for attempt in caught.value.attempts] == ["refused", "credential"]


@pytest.mark.parametrize("status", [404, 418, 422])
def test_retryable_status_is_retried_at_the_same_model(status: int, config: Any, upstream: Upstream, other: Upstream) -> None:
    upstream.then(Script(status, b"{}")).then(Script(status, b"{}"))
    settings = config(upstream.url, other.url)
    for pool in settings["pools"].values():
        pool["retry"] = {"max_attempts": 3, "retryable_codes": [status], "initial_delay": "1ms"}
    with modelmesh.create(config=settings) as client:
        reply = client.chat.completions.create(model="chat-completion", messages=MESSAGES)
    assert (reply.model, len(upstream.received), len(other.received)) == ("model-a", 3, 0)


KINDS = {
    429: RateLimitError,
    401: AuthenticationError,
    500: ProviderServerError,
}


@pytest.mark.parametrize("status", KINDS)
def test_exhausted_same_failures_share_their_class(status: int, config: Any, upstream: Upstream, other: Upstream) -> None:
    upstream.always(Script(status, b"{}", {"Retry-After": "7"}))
    other.always(Script(status, b"{}", {"Retry-After": "9"}))
    with modelmesh.create(config=config(upstream.url, other.url)) as client:
        with pytest.raises(AllProvidersExhaustedError) as caught:
            client.chat.completions.create(model="chat-completion", messages=MESSAGES, timeout=3)
    assert isinstance(caught.value, KINDS[status])
    assert {attempt.status for attempt in caught.value.attempts} == {status}
    assert "a/model-a" in str(caught.value)
    assert "b/model-b" in str(caught.value)
    if status == 429:
        assert 6 < caught.value.retry_after < 8  # type: ignore[attr-defined]


def test_exhausted_different_failures_have_no_common_class(config: Any, upstream: Upstream, other: Upstream) -> None:
    upstream.always(Script(429, b"{}", {"Retry-After": "7"}))
    other.always(Script(401, b"{}"))
    with modelmesh.create(config=config(upstream.url, other.url)) as client, pytest.raises(AllProvidersExhaustedError) as caught:
        client.chat.completions.create(model="chat-completion", messages=MESSAGES)
    assert not isinstance(caught.value, RateLimitError | AuthenticationError)
    assert isinstance(caught.value.last_error, AuthenticationError)


def test_exhausted_all_refused_connections_raise(config: Any, refused: str) -> None:
    with modelmesh.create(config=config(refused)) as client, pytest.raises(ProviderConnectionError, match="refused"):
        client.chat.completions.create(model="chat-completion", messages=MESSAGES)


def test_timeout_of_a_call_ends_it(config: Any, upstream: Upstream) -> None:
    upstream.always(Script(delay=30))
    with modelmesh.create(config=config(upstream.url)) as client, pytest.raises(ProviderTimeoutError):
        client.chat.completions.create(model="chat-completion", messages=MESSAGES, timeout=0.2)


def test_task_cancelled_releases_reservations(config: Any, upstream: Upstream) -> None:
    upstream.always(Script(delay=30))

    async def main() -> None:
        async with modelmesh.create_async(config=config(upstream.url)) as client:
            task = asyncio.create_task(client.chat.completions.create(model="chat-completion", messages=MESSAGES))
            while not upstream.received:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            candidate = client.mesh.list_models()[0]
            assert candidate.account.in_flight == 0
            assert candidate.failure_count == 0

    asyncio.run(main())


def test_stream_closed_early_releases_reservations(config: Any, upstream: Upstream) -> None:
    upstream.always(Script(body=[*text_stream("a", "b", done=False, finish=None), CONTINUE], content_type="text/event-stream"))
    with modelmesh.create(config=config(upstream.url)) as client:
        for begin in (True, False):
            with client.chat.completions.create(model="chat-completion", messages=MESSAGES, stream=True) as stream:
                if begin:
                    next(iter(stream))
            candidate = client.mesh.list_models()[0]
            assert candidate.account.in_flight == 0
            assert candidate.failure_count == 0
            assert stream.attempts[-1].outcome == "cancelled"

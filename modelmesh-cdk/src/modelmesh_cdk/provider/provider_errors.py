"""Typed errors of providers, made from a failure class."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import iscoroutine
from typing import Any

from modelmesh import errors
from modelmesh._engine.foundation.failure_rules import error_type
from modelmesh._engine.plugins import attribution
from modelmesh.contracts import RULES, FailureClass, Secret
from modelmesh.contracts.provider import REQUEST_ID_HEADERS

MAX_REASON = 300
"""Longest ``ProviderError.reason`` in characters."""
MAX_READ = 4000
"""Characters of a vendor's message that are read."""
MAX_QUOTED = 500
"""Characters of a vendor's message that an error about the caller's request quotes."""


def provider_error(
    kind: FailureClass,
    message: str,
    *,
    status: int | None = None,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
    delay: float | None = None,
) -> errors.ProviderError:
    """Return the error of a failure class.

    Args:
        kind: The failure class. It determines the type of the error and the reaction of the mesh.
        message: Text of the error.
        status: HTTP status.
        code: The vendor's code.
        headers: Response headers, names in lower case.
        body: The vendor's error body without the API key.
        delay: Seconds that the vendor asked to wait.
    """
    rule = RULES[kind]
    facts: dict[str, Any] = {
        "failure": kind,
        "status": status,
        "code": code,
        "body": body,
        "billed": rule.billed,
        "upstream_delay_s": delay,
        "request_id": next((headers[name] for name in REQUEST_ID_HEADERS if name in headers), None) if headers else None,
    }
    made = error_type(kind, status)
    if delay is not None and issubclass(made, errors.RateLimitError):
        facts["retry_after"] = delay
    return made(message, **facts)


def invalid_parameter(where: str, why: str, instead: str) -> errors.ProviderError:
    """Return the error of a request that no vendor can serve. Nothing was sent.

    Args:
        where: The invalid part of the request, for example ``tools[0]``.
        why: Predicate of the sentence that ``where`` begins.
        instead: A valid value.
    """
    return provider_error(FailureClass.CALLER, f"{where} {why}. Nothing was sent. Give {instead}.", status=400)


def unsupported_parameter(where: str, why: str) -> errors.ProviderError:
    """Return the error of a request that this vendor cannot serve and another vendor may. Nothing was sent.

    Args:
        where: The unsupported part of the request, for example ``tools[0]``.
        why: Predicate of the sentence that ``where`` begins.
    """
    return provider_error(FailureClass.CAPABILITY, f"{where} {why}. Nothing was sent.", status=400)


def failed_midway(answer: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> errors.ProviderError | None:
    """Return the error of an answer or chunk with the finish reason ``error``: the vendor failed during generation.

    OpenAI has no such reason. Mistral (mistralai 3.7.0, ``models/chatcompletionchoice.py``), Together
    (togethercomputer/together-python#153) and OpenRouter (openrouter 1.3.84) have it, all read 2026-11-21.

    Args:
        answer: An answer or a chunk in OpenAI's format.
        headers: Response headers, names in lower case.

    Returns:
        ``None`` when no choice has that reason.
    """
    choices = answer.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and choice.get("finish_reason") == "error":
            return broken_generation(headers)
    return None


def broken_generation(headers: Mapping[str, str] | None = None) -> errors.ProviderError:
    """Return the error of an answer or chunk with the finish reason ``error``. See :func:`failed_midway`."""
    message = "the provider's answer broke: it failed while it wrote (finish_reason 'error')"
    return provider_error(FailureClass.SERVER, message, code="error", headers=headers)


def bad_hook_result(provider: Any, hook: str, value: Any, right: str, *, written: bool = True) -> errors.ProviderError:
    """Return the error of a hook that returned an invalid value.

    Args:
        provider: The connector.
        hook: Name of the hook.
        value: The invalid value. The message contains only its type.
        right: Description of a valid value.
        written: Whether a request may have been sent before.
    """
    if iscoroutine(value):
        value.close()  # otherwise Python warns that it was never awaited
    kind = "None" if value is None else f"a value of type {type(value).__name__}"
    rule = f"returned {kind} from {hook}(). It must return {right}."
    return attribution.connector_bug(provider, rule, attribution.locate_method(provider, hook), written=written)


def response_error(
    kind: FailureClass,
    status: int,
    headers: Mapping[str, str],
    body: Any,
    *,
    code: str | None,
    text: str,
    key: Secret | None,
    delay: float | None = None,
) -> errors.ProviderError:
    """Return the error of an HTTP error status.

    Only the error of a rejected request quotes the vendor's message, because vendors echo keys and prompts.

    Args:
        kind: The failure class.
        status: HTTP status.
        headers: Response headers, names in lower case.
        body: The decoded error body.
        code: The vendor's code.
        text: The vendor's message.
        key: The API key, which the error must not contain.
        delay: Seconds that the vendor asks to wait. Only the classes of ``DELAYED`` use it.
    """
    rule = RULES[kind]
    shown_status = f"HTTP {status}" + (f" {code}" if code else "")
    if not rule.rotate or kind in _QUOTED:
        message = f"the provider refused the request ({shown_status}): {scrub_key(text, key)[:MAX_QUOTED]}"
    else:
        message = f"the provider answered {shown_status}: {rule.meaning}"
    shown = {name: scrub_key(value, key) for name, value in headers.items()}
    waits = delay if kind in DELAYED else None
    made = provider_error(kind, message, status=status, code=code, headers=shown, body=scrub_key(body, key), delay=waits)
    made.reason = show_vendor_text(text, key)
    made.should_retry = _SHOULD_RETRY.get(headers.get("x-should-retry", ""))
    if status == _TOO_LARGE and made.should_retry is None:
        made.should_retry = False  # a retry has the same size
    return made


_TOO_LARGE = 413
_QUOTED = frozenset({FailureClass.REFUSED, FailureClass.CAPABILITY})
_SHOULD_RETRY = {"true": True, "false": False}
DELAYED = frozenset(
    {FailureClass.THROTTLE, FailureClass.QUOTA, FailureClass.MODEL_QUOTA, FailureClass.SERVER, FailureClass.TRANSIENT}
)
"""Failure classes whose cooldown takes the delay that the vendor states."""


def show_vendor_text(text: str, key: Secret | None = None) -> str:
    """Return a vendor's message for an error: one line, without key, control characters or HTML."""
    read = text[:MAX_READ]
    shown = read if read.isprintable() else "".join(letter if letter.isprintable() else " " for letter in read)
    shown = " ".join(shown.split())
    if shown[:1] == "<" or shown[:1] == "{":
        return ""
    shown = str(scrub_key(shown, key))
    return shown if len(shown) <= MAX_REASON else shown[: MAX_REASON - 1] + "…"


def scrub_key(value: Any, key: Secret | None) -> Any:
    """Return a copy of a value without the API key, at any depth."""
    if key is None:
        return value
    if isinstance(value, str):
        return key.scrub(value)
    if isinstance(value, Mapping):
        return {key.scrub(str(name)): scrub_key(item, key) for name, item in value.items()}
    if isinstance(value, list):
        return [scrub_key(item, key) for item in value]
    return value

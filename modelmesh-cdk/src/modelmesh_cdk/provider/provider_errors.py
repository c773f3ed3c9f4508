"""From a vendor's refusal to a typed error."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import iscoroutine
from typing import Any

from modelmesh import errors
from modelmesh._engine.foundation.failure_rules import error_type
from modelmesh._engine.plugins import attribution
from modelmesh.contracts import RULES, FailureClass, Secret
from modelmesh.contracts.provider import REQUEST_ID_HEADERS

REASON_SHOWN = 300
"""Characters of a vendor's message that ``ProviderError.reason`` holds."""
MOST_READ = 4000
"""Characters of a vendor's message that are looked at."""
SHOWN = 500
"""Characters of a vendor's message that an error about the caller's own request repeats."""


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
    """Make the error of a class.

    Args:
        kind: The class; it decides the error's type and what the mesh does next.
        message: What happened.
        status: HTTP status.
        code: The vendor's code.
        headers: Response headers, names in lower case.
        body: The vendor's error body, already scrub_key.
        delay: Seconds the vendor asked to wait.
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
    """Make the error of an answer, or a stream's chunk, whose finish reason says that the vendor failed while it wrote.

    OpenAI has no such reason. ``error`` is Mistral's (mistralai 3.7.0, ``models/chatcompletionchoice.py``), Together's
    (togethercomputer/together-python#153) and OpenRouter's (openrouter 1.3.84), all read 2026-11-21.

    Args:
        answer: In OpenAI's shape.
        headers: Response headers, names in lower case.

    Returns:
        ``None`` when no choice says so.
    """
    choices = answer.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and choice.get("finish_reason") == "error":
            message = "the provider's answer broke: it failed while it wrote (finish_reason 'error')"
            return provider_error(FailureClass.SERVER, message, code="error", headers=headers)
    return None


def bad_hook_result(provider: Any, hook: str, value: Any, right: str, *, written: bool = True) -> errors.ProviderError:
    """Make the error of a hook that returned what it may not.

    Args:
        provider: The connector.
        hook: Its method.
        value: What came of it; only its type is told.
        right: What must come of it.
        written: Whether something was sent before.
    """
    if iscoroutine(value):
        value.close()  # nobody will await it
    told = "None" if value is None else f"a value of type {type(value).__name__}"
    rule = f"returned {told} from {hook}(). It must return {right}."
    return attribution.connector_bug(provider, rule, attribution.locate_method(provider, hook), written=written)


def refusal_error(
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
    """Make the error of an HTTP status.

    Only a refusal of the request itself repeats the vendor's words: vendors echo keys and prompts.

    Args:
        kind: The class.
        status: HTTP status.
        headers: Response headers, names in lower case.
        body: The decoded error body.
        code: The vendor's code.
        text: The vendor's message.
        key: The account's key, to be blanked.
        delay: Seconds that the vendor asks to wait, for the classes that wait.
    """
    rule = RULES[kind]
    said = f"HTTP {status}" + (f" {code}" if code else "")
    if not rule.rotate or kind in _QUOTED:
        message = f"the provider refused the request ({said}): {scrub_key(text, key)[:SHOWN]}"
    else:
        message = f"the provider answered {said}: {rule.meaning}"
    shown = {name: scrub_key(value, key) for name, value in headers.items()}
    waits = delay if kind in DELAYED else None
    made = provider_error(kind, message, status=status, code=code, headers=shown, body=scrub_key(body, key), delay=waits)
    made.reason = show_vendor_text(text, key)
    made.should_retry = _CONTENT_KEYS.get(headers.get("x-should-retry", ""))
    if status == _TOO_LARGE and made.should_retry is None:
        made.should_retry = False  # the same request is as large the next time
    return made


_TOO_LARGE = 413
_QUOTED = frozenset({FailureClass.REFUSED, FailureClass.CAPABILITY})
_CONTENT_KEYS = {"true": True, "false": False}
DELAYED = frozenset(
    {FailureClass.THROTTLE, FailureClass.QUOTA, FailureClass.MODEL_QUOTA, FailureClass.SERVER, FailureClass.TRANSIENT}
)
"""Classes after which the delay that the vendor states counts."""


def show_vendor_text(text: str, key: Secret | None = None) -> str:
    """Return a vendor's message as an error may show it: one line, no key, no control characters, no HTML page."""
    said = " ".join("".join(letter if letter.isprintable() else " " for letter in text[:MOST_READ]).split())
    if said[:1] == "<" or said[:1] == "{":
        return ""
    said = str(scrub_key(said, key))
    return said if len(said) <= REASON_SHOWN else said[: REASON_SHOWN - 1] + "…"


def scrub_key(value: Any, key: Secret | None) -> Any:
    """Return a copy in which the account's key is blanked, however deep it stands."""
    if key is None:
        return value
    if isinstance(value, str):
        return key.scrub(value)
    if isinstance(value, Mapping):
        return {key.scrub(str(name)): scrub_key(item, key) for name, item in value.items()}
    if isinstance(value, list):
        return [scrub_key(item, key) for item in value]
    return value

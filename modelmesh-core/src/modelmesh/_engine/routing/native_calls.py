"""Native calls: which form of a request a candidate receives, the caller's own or its translation to a chat completion.

Some servers lack an endpoint that their connector expects: an older version, or a company's gateway that serves chat completions
only. Such a server receives the chat completion instead, and the account remembers it once the chat completion is answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.foundation.resource_ids import without_account
from modelmesh._engine.routing.reasoning_items import for_account
from modelmesh.contracts.operations import CHAT, GENERATE_CONTENT
from modelmesh.errors import ProviderError

if TYPE_CHECKING:
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh.contracts.call import Call

_MISSING_STATUSES = frozenset({404, 405, 501})
_UNEXPLAINED = frozenset({FailureClass.REFUSED, FailureClass.PROTOCOL})
"""Classes of a rejection that names no cause, such as a missing model, and of a page of HTML."""


def native_operations(provider: Any) -> frozenset[str]:
    """Return the operations that a provider serves in their own format, empty for a provider that states none."""
    return frozenset(getattr(provider, "native_operations", ()))


def call_for(call: Call, candidate: Candidate) -> Call:
    """Return the call that a candidate receives, without the accounts in its qualified IDs."""
    native = call.native
    if native is None:
        return call if call.account is None else chat_call(call)
    if native.operation.name not in native_operations(candidate.provider):
        return chat_call(call)
    if native.operation.name in candidate.account.missing_operations and not call.native_only:
        return chat_call(call)
    if native.operation is GENERATE_CONTENT:
        return chat_call(evolve(call, payload=native.payload, lost=()))
    return _own(for_account(native, candidate.provider_id), call.account)


def chat_call(call: Call) -> Call:
    """Return the call itself, without the account in its qualified IDs."""
    return _own(call, call.account)


def lacks_endpoint(call: Call, sent: Call, outcome: object) -> bool:
    """Return whether a server seems to lack the endpoint of a native call, and may receive the chat completion instead.

    Args:
        call: The request.
        sent: The call that the candidate received.
        outcome: The outcome of the attempt.
    """
    return (
        isinstance(outcome, ProviderError)
        and call.native is not None
        and not call.native_only
        and sent.operation is not CHAT
        and outcome.status in _MISSING_STATUSES
        and outcome.failure in _UNEXPLAINED
    )


def losses(call: Call, sent: Call, candidate: Candidate) -> tuple[str, ...]:
    """Return what the call that a candidate received does not express, one line each."""
    native = call.native
    if native is None or sent.operation is not CHAT or native.operation.name not in candidate.account.missing_operations:
        return sent.lost
    return (f"{native.operation.name} converted to chat.completions: the server does not serve it", *sent.lost)


def _own(call: Call, account: str | None) -> Call:
    return call if account is None else evolve(call, payload=without_account(call.payload, account))

"""Native calls: which form of a request a candidate receives, the caller's own or its translation to a chat completion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from modelmesh._engine.foundation.resource_ids import without_account
from modelmesh._engine.routing.reasoning_items import for_account

if TYPE_CHECKING:
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh.contracts.call import Call


def native_operations(provider: Any) -> frozenset[str]:
    """Return the operations that a provider serves in their own format, empty for a provider that states none."""
    return frozenset(getattr(provider, "native_operations", ()))


def call_for(call: Call, candidate: Candidate) -> Call:
    """Return the call that a candidate receives, without the accounts in its qualified IDs."""
    native, account = call.native, call.account
    if native is not None and native.operation.name in native_operations(candidate.provider):
        call = for_account(native, candidate.provider_id)
    return call if account is None else evolve(call, payload=without_account(call.payload, account))

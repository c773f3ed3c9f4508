"""The chat call of a request in another format. Routing, limits and settlement see the chat call.

A provider that serves the operation natively receives the caller's own call, which the chat call carries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from modelmesh._engine.translation import TRANSLATIONS
from modelmesh.contracts.operations import CHAT

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call


def translate(call: Call) -> Call:
    """Return the chat call of a request.

    Args:
        call: A request of an operation that translates.

    Raises:
        BadRequestError: Neither a chat completion nor a native provider can represent the request.
    """
    found = TRANSLATIONS[call.operation.name].to_chat(call)
    return evolve(
        call,
        operation=CHAT,
        payload=found.payload,
        native=evolve(call, payload=found.native or call.payload),
        native_only=found.native_only,
        account=found.account,
        lost=tuple(found.lost),
        output_limit=found.output_limit,
        prompt_size=None,
        relay=False,
    )

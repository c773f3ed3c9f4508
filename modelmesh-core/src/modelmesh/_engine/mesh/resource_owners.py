"""The account that owns the files to which a request refers by their qualified IDs. Only that account can serve the request."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve

from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.foundation.resource_ids import SEPARATOR, is_id, split
from modelmesh.contracts.operations import CHAT, EMBEDDINGS
from modelmesh.errors import BadRequestError

if TYPE_CHECKING:
    from modelmesh._engine.routing.pool import Pool
    from modelmesh.contracts.call import Call


def with_owner(call: Call, pool: Pool, keys: Container[str]) -> Call:
    """Return a call with the account that its qualified IDs name, and a call without such IDs unchanged.

    Args:
        call: The request.
        pool: The pool that serves it.
        keys: Keys of all accounts. A suffix that names none of them is part of a vendor's own ID.

    Raises:
        BadRequestError: The IDs name several accounts.
    """
    referring = _referring(call)
    owners = {owner for owner in _owners_in(referring) if owner in keys or pool.mask_of_provider(owner)} if referring else None
    if not owners:
        return call
    if len(owners) > 1:
        message = (
            f"the request refers to files of several accounts: {', '.join(sorted(owners))}. Nothing was sent. Upload the files "
            "to one account."
        )
        raise BadRequestError(message, failure=FailureClass.CALLER, status=400)
    return evolve(call, account=owners.pop())


def _referring(call: Call) -> Any:
    """Return what may refer to files. Of a conversation only the files are searched: its other content may be long."""
    own = call.native or call
    if own.operation is EMBEDDINGS:
        return None
    if own.operation is not CHAT:
        return own.payload
    files: list[Any] = []
    for message in own.payload.get("messages") or ():
        content = message.get("content") if message.__class__ is dict else None
        if content.__class__ is list:
            files += [part for part in content if isinstance(part, Mapping) and part.get("type") == "file"]
    return files


def _owners_in(value: Any) -> Iterator[str]:
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, Mapping):
            for name, item in one.items():
                if isinstance(item, str):
                    owner = split(item)[1] if SEPARATOR in item and is_id(str(name)) else None
                    if owner is not None:
                        yield owner
                elif isinstance(item, list) and is_id(str(name)):
                    left += [{name: part} for part in item]
                else:
                    left.append(item)
        elif isinstance(one, list):
            left += one

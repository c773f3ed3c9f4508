"""Qualified resource IDs: an ID at a vendor, followed by the account that owns it, for example ``file-abc@openai``.

The suffix makes a resource findable without any stored state, after a restart and in every process. IDs of vendors contain no
``@`` themselves. Where a vendor is another mesh, its IDs do, and only the last suffix is that of this mesh.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SEPARATOR = "@"
"""Character between an ID and the key of its account."""


def qualify(resource_id: str, provider_id: str) -> str:
    """Return an ID as the caller receives it, with the key of the account that owns the resource."""
    return f"{resource_id}{SEPARATOR}{_escaped(provider_id)}"


def split(resource_id: str) -> tuple[str, str | None]:
    """Return the vendor's ID and the key of the account, ``None`` for an ID without an account."""
    own, separator, provider_id = resource_id.rpartition(SEPARATOR)
    return (
        (own, provider_id.replace("%40", SEPARATOR).replace("%25", "%"))
        if separator and own and provider_id
        else (resource_id, None)
    )


def _escaped(provider_id: str) -> str:
    """Return the key of an account without a separator. ``%40`` stands for one, as in an address."""
    return provider_id.replace("%", "%25").replace(SEPARATOR, "%40")


def is_id(name: str) -> bool:
    """Return whether an argument, or a field of a body, contains an ID of a resource or a list of them."""
    return name.endswith(("_id", "_ids")) or name in ("after", "before", "conversation")


def without_account(value: Any, account: str) -> Any:
    """Return a body with every ID of an account as the vendor knows it. Only IDs that name this account change."""
    if isinstance(value, Mapping):
        return {
            name: _own_ids(one, account)
            if is_id(str(name)) and isinstance(one, str | list | tuple)
            else without_account(one, account)
            for name, one in value.items()
        }
    return [without_account(one, account) for one in value] if isinstance(value, list | tuple) else value


def _own_ids(value: Any, account: str) -> Any:
    if isinstance(value, str):
        own, owner = split(value)
        return own if owner == account else value
    return [_own_ids(one, account) if isinstance(one, str) else without_account(one, account) for one in value]


def qualify_fields(resource: dict[str, Any], provider_id: str) -> None:
    """Qualify the IDs in a resource, in place: its own, and those of the resources of the account to which it refers."""
    for name in _FIELDS:
        value = resource.get(name)
        if value.__class__ is str and value:
            resource[name] = qualify(value, provider_id)


_FIELDS = (
    "id",
    "input_file_id",
    "output_file_id",
    "error_file_id",
    "upload_id",
    "previous_response_id",
    "first_id",
    "last_id",
)

"""Qualified resource IDs: an ID at a vendor, followed by the account that owns it, for example ``file-abc@openai``.

The suffix makes a resource findable without any stored state, after a restart and in every process. IDs of vendors contain no
``@`` themselves. Where a vendor is another mesh, its IDs do, and only the last suffix is that of this mesh.
"""

from __future__ import annotations

SEPARATOR = "@"
"""Character between an ID and the key of its account."""


def qualify(resource_id: str, provider_id: str) -> str:
    """Return an ID as the caller receives it, with the key of the account that owns the resource."""
    return f"{resource_id}{SEPARATOR}{provider_id}"


def split(resource_id: str) -> tuple[str, str | None]:
    """Return the vendor's ID and the key of the account, ``None`` for an ID without an account."""
    own, separator, provider_id = resource_id.rpartition(SEPARATOR)
    return (own, provider_id) if separator and own and provider_id else (resource_id, None)

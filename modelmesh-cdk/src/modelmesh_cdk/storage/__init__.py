"""Kit for stores: base classes, and what a store with its own locks needs.

=================================  ======================================================================
:class:`BaseStorage`               base class: override ``_read``, ``_write``, ``_remove`` and ``_keys``
:class:`SharedStorage`             the same for several processes: override ``_swap`` too
:class:`KeyValueStorage`           complete store, in memory or in a folder of files
:func:`write_atomically`           replaces a file completely or not at all
:func:`file_lock`                  lock that excludes other processes
:func:`current_owner`              describes this process as the owner of a lock
:func:`has_exited`                 whether the process of an owner has ended
:func:`is_over`                    whether a stored lock or counter has expired
:data:`RESERVED`                   first character of the raw keys that the kit reserves for itself
=================================  ======================================================================

Names are imported on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelmesh_cdk.storage.base import RESERVED as RESERVED
    from modelmesh_cdk.storage.base import BaseStorage as BaseStorage
    from modelmesh_cdk.storage.base import BaseStorageConfig as BaseStorageConfig
    from modelmesh_cdk.storage.files import file_lock as file_lock
    from modelmesh_cdk.storage.files import write_atomically as write_atomically
    from modelmesh_cdk.storage.key_value import KeyValueStorage as KeyValueStorage
    from modelmesh_cdk.storage.key_value import KeyValueStorageConfig as KeyValueStorageConfig
    from modelmesh_cdk.storage.lock_owner import current_owner as current_owner
    from modelmesh_cdk.storage.lock_owner import has_exited as has_exited
    from modelmesh_cdk.storage.shared import SharedStorage as SharedStorage
    from modelmesh_cdk.storage.shared import is_over as is_over

_HOMES = {
    "BaseStorage": "modelmesh_cdk.storage.base",
    "BaseStorageConfig": "modelmesh_cdk.storage.base",
    "KeyValueStorage": "modelmesh_cdk.storage.key_value",
    "KeyValueStorageConfig": "modelmesh_cdk.storage.key_value",
    "RESERVED": "modelmesh_cdk.storage.base",
    "SharedStorage": "modelmesh_cdk.storage.shared",
    "current_owner": "modelmesh_cdk.storage.lock_owner",
    "file_lock": "modelmesh_cdk.storage.files",
    "has_exited": "modelmesh_cdk.storage.lock_owner",
    "is_over": "modelmesh_cdk.storage.shared",
    "write_atomically": "modelmesh_cdk.storage.files",
}

__all__ = [
    "RESERVED",
    "BaseStorage",
    "BaseStorageConfig",
    "KeyValueStorage",
    "KeyValueStorageConfig",
    "SharedStorage",
    "current_owner",
    "file_lock",
    "has_exited",
    "is_over",
    "write_atomically",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value: object = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)

"""What a secret store implements."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class SecretStore(Protocol):
    """Answers ``${secrets:NAME}`` references."""

    id: str

    def get(self, name: str) -> str:
        """Return the value of a secret.

        Raises:
            KeyError: The store has none of that name.
        """
        ...


@runtime_checkable
class SecretManagement(Protocol):
    """What a store offers beyond reading, when it can."""

    def set(self, name: str, value: str) -> None:
        """Store a value under a name."""
        ...

    def list(self) -> list[str]:
        """Return the names, never the values."""
        ...

    def delete(self, name: str) -> None:
        """Remove a name.

        Raises:
            KeyError: The store has none of that name.
        """
        ...


def variable_names(name: str) -> list[str]:
    """Return the environment variables for a secret's name: the exact name, then upper case with ``-`` and ``.`` as ``_``."""
    upper = name.upper().replace("-", "_").replace(".", "_")
    return [name] if upper == name else [name, upper]

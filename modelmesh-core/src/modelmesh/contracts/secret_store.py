"""Interface of secret stores."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class SecretStore(Protocol):
    """Resolver of ``${secrets:NAME}`` references."""

    id: str

    def get(self, name: str) -> str:
        """Return the value of a secret.

        Raises:
            KeyError: The store has no secret of that name.
        """
        ...


@runtime_checkable
class SecretManagement(Protocol):
    """Optional: write access to a store."""

    def set(self, name: str, value: str) -> None:
        """Store a secret."""
        ...

    def list(self) -> list[str]:
        """Return the names of all secrets, never the values."""
        ...

    def delete(self, name: str) -> None:
        """Delete a secret.

        Raises:
            KeyError: The store has none of that name.
        """
        ...


def variable_names(name: str) -> list[str]:
    """Return the environment variables of a secret: its exact name, then upper case with ``-`` and ``.`` replaced by ``_``."""
    upper = name.upper().replace("-", "_").replace(".", "_")
    return [name] if upper == name else [name, upper]

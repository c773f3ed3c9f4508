"""Secrets from environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from modelmesh.contracts.secret_store import variable_names


class EnvironmentStore:
    """Secret store that reads the environment at each lookup.

    Args:
        config: ``prefix`` is prepended to every name. If ``fail_on_missing`` is false, a missing name has an empty value.
    """

    id = "modelmesh.env.v1"

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        self._prefix = str((config or {}).get("prefix") or "")
        self._fails = (config or {}).get("fail_on_missing", True)

    @classmethod
    def known_settings(cls) -> frozenset[str]:
        """Return the settings that this store reads. There is none for a cache, because the store reads at each lookup."""
        return frozenset({"prefix", "fail_on_missing"})

    def tried(self, name: str) -> list[str]:
        """Return the variables that :meth:`get` reads, in order."""
        return [self._prefix + candidate for candidate in variable_names(name)]

    def get(self, name: str) -> str:
        """Return the variable's value: the exact name, then upper case with ``-`` and ``.`` as ``_``.

        Raises:
            KeyError: None of them is set.
        """
        for variable in self.tried(name):
            value = os.environ.get(variable)
            if value:
                return value
        if not self._fails:
            return ""
        raise KeyError(name)

"""Errors of ``modelmesh new``. Each of them leaves the disk unchanged."""

from __future__ import annotations

from modelmesh.errors import ModelMeshError


class ScaffoldError(ModelMeshError):
    """The package was not written, not even in part."""


class BadNameError(ScaffoldError, ValueError):
    """A name, ID, variable or address is invalid or already used.

    Attributes:
        field: The invalid field: ``name``, ``id``, ``variable``, ``base_url`` or ``license``.
    """

    field: str = "name"


class TargetNotEmptyError(ScaffoldError, FileExistsError):
    """The target exists and is not empty."""

"""Why no package was written. Each of these leaves the disk as it was."""

from __future__ import annotations

from modelmesh.errors import ModelMeshError


class ScaffoldError(ModelMeshError):
    """The package was not written, and neither was a part of it."""


class BadNameError(ScaffoldError, ValueError):
    """A name, ID, variable or address does not follow its grammar, or is taken.

    Attributes:
        field: Which of them: ``name``, ``id``, ``variable``, ``base_url`` or ``license``.
    """

    field: str = "name"


class TargetNotEmptyError(ScaffoldError, FileExistsError):
    """Something is at the target already; nothing is ever overwritten."""

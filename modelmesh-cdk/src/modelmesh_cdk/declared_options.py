"""Declaration of a connector's options, so that an unknown option is rejected with the nearest name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from attrs import fields_dict


class DeclaresOptions:
    """A connector class that may declare its options.

    Attributes:
        options: Names of the settings that this class reads in addition to its base. ``None`` declares nothing: any setting
            is accepted, and a misspelt one has no effect. The attribute is not inherited, because a derived class may read
            more. It lists all of them: ``options = (*OpenAIProvider.options, "team")``.
    """

    options: ClassVar[Collection[str] | None] = None
    _base_settings: ClassVar[Collection[str]] = ()

    @classmethod
    def known_settings(cls) -> frozenset[str] | None:
        """Return the names of all settings that the connector reads, or ``None`` if it does not declare them."""
        own = vars(cls).get("options")
        if own is None:
            return None
        config: Any = getattr(cls, "config_class", None)
        fields = fields_dict(config).keys() - {"options"} if config is not None else ()
        return frozenset((*own, *fields, *cls._base_settings))

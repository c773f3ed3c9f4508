"""Declaration of the options that a connector reads, so that all others are refused with the nearest name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from attrs import fields_dict


class DeclaresOptions:
    """A connector class that may declare its options.

    Attributes:
        options: Names of the settings that this class reads beyond those of its base. ``None`` declares nothing: any
            setting is accepted, and a misspelt one changes nothing. The attribute is not inherited, for a derived class may
            read more; it lists them all, e.g. ``options = (*OpenAIProvider.options, "team")``.
    """

    options: ClassVar[Collection[str] | None] = None
    _base_settings: ClassVar[Collection[str]] = ()

    @classmethod
    def known_settings(cls) -> frozenset[str] | None:
        """Return the names of all settings that the connector reads, ``None`` where it does not declare them."""
        own = vars(cls).get("options")
        if own is None:
            return None
        config: Any = getattr(cls, "config_class", None)
        fields = fields_dict(config).keys() - {"options"} if config is not None else ()
        return frozenset((*own, *fields, *cls._base_settings))

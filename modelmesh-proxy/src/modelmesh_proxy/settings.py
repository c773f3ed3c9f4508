"""Settings of a proxy: the section ``proxy`` of the configuration, with the flags of the command line over it."""

from __future__ import annotations

from typing import Any, Self

from attrs import evolve, field, frozen

from modelmesh._engine.config.schema import ProxySection
from modelmesh.errors import ConfigurationError


@frozen
class ProxySettings:
    """Settings of one proxy.

    Attributes:
        section: The section ``proxy``.
        token: Token of the flag ``--token``, which permits everything. ``None`` without one.
    """

    section: ProxySection = field(factory=ProxySection)
    token: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, section: ProxySection, *, token: str | None = None, **flags: Any) -> Self:
        """Return the settings of a section with flags over it.

        Args:
            section: The section ``proxy``.
            token: Value of ``--token``.
            **flags: Keys of the section that the command line or the constructor sets. ``None`` is no value.

        Raises:
            ConfigurationError: The token is empty, which would admit callers without one.
        """
        if token is not None and not token.strip():
            message = "the token is empty. Give --token a value, or leave the option out."
            raise ConfigurationError(message, where="--token")
        given = {name: value for name, value in flags.items() if value is not None}
        return cls(evolve(section, **given), token)

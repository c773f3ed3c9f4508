"""Connector IDs, ``publisher.name.vN``, which configuration files contain.

Grammar: two or more lower-case segments of ``[a-z0-9-]`` and a last segment ``vN``. ``N`` is the contract version of the
connector's configuration and behaviour, not the version of its distribution.
"""

from __future__ import annotations

import re
from enum import StrEnum

from attrs import field, frozen

_SEGMENT = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_GRAMMAR = re.compile(rf"(?P<stem>{_SEGMENT}(?:\.{_SEGMENT})+)\.v(?P<version>[0-9]+)")


class Kind(StrEnum):
    """The six kinds of connector. The value is the last part of the entry-point group."""

    PROVIDER = "providers"
    STRATEGY = "strategies"
    SECRET_STORE = "secret_stores"  # noqa: S105 - the name of a group
    OBSERVABILITY = "observability"
    STORAGE = "storage"
    DISCOVERY = "discovery"

    @property
    def group(self) -> str:
        """Entry-point group that connectors of this kind register in."""
        return f"modelmesh.{self.value}"

    @property
    def label(self) -> str:
        """Name of the kind for messages, e.g. ``secret store``."""
        return _LABELS[self]

    @property
    def prefix(self) -> str:
        """Optional first segment of an ID of this kind in some documents."""
        return _PREFIXES[self]


_LABELS = {
    Kind.PROVIDER: "provider",
    Kind.STRATEGY: "strategy",
    Kind.SECRET_STORE: "secret store",
    Kind.OBSERVABILITY: "observability",
    Kind.STORAGE: "storage",
    Kind.DISCOVERY: "discovery",
}
_PREFIXES = {
    Kind.PROVIDER: "provider",
    Kind.STRATEGY: "rotation",
    Kind.SECRET_STORE: "secret-store",
    Kind.OBSERVABILITY: "observability",
    Kind.STORAGE: "storage",
    Kind.DISCOVERY: "discovery",
}


@frozen(order=True)
class ConnectorId:
    """Parsed connector ID, ordered by name and version.

    Attributes:
        stem: Part before the version, e.g. ``openai.llm``.
        version: The contract version, e.g. ``1``.
    """

    stem: str
    version: int = field(converter=int)

    @classmethod
    def parse(cls, text: str) -> ConnectorId:
        """Parse an ID.

        Args:
            text: For example ``groq.api.v1``.

        Raises:
            ValueError: The text does not match the grammar.
        """
        match = _GRAMMAR.fullmatch(text)
        if match is None:
            message = f"{text!r} is not a connector ID; one looks like 'groq.api.v1' (lower case, dots, ending in .vN)"
            raise ValueError(message)
        return cls(match["stem"], match["version"])

    @classmethod
    def is_one(cls, text: str) -> bool:
        """Return whether a text matches the grammar."""
        return _GRAMMAR.fullmatch(text) is not None

    @property
    def publisher(self) -> str:
        """First segment: the vendor, or ``modelmesh``."""
        return self.stem.partition(".")[0]

    @property
    def provider_name(self) -> str:
        """Short name of a provider connector: the vendor, or the part after ``modelmesh.``."""
        publisher, _, rest = self.stem.partition(".")
        return rest if publisher == "modelmesh" else publisher

    def __str__(self) -> str:
        return f"{self.stem}.v{self.version}"


def without_kind_prefix(text: str, kind: Kind) -> str:
    """Remove the optional kind prefix: ``rotation.modelmesh.cost-first.v1`` means ``modelmesh.cost-first.v1``."""
    return text.removeprefix(f"{kind.prefix}.")

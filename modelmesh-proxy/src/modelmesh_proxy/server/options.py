"""The options of ``modelmesh serve``."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen


@frozen
class ServeOptions:
    """Options of the command line.

    Attributes:
        config: Path of the configuration, ``None`` to find one.
        token: Token that every caller must send.
        flags: Keys of the section ``proxy``, ``None`` where the configuration decides.
        tls_certificate: Path of a certificate chain.
        tls_key: Path of its key.
        log_level: Least severe level that is logged.
        access_log: Whether each request is logged.
        as_json: Whether the log is JSON.
    """

    config: str | None = None
    token: str | None = field(default=None, repr=False)
    flags: dict[str, Any] = field(factory=dict)
    tls_certificate: str | None = None
    tls_key: str | None = None
    log_level: str = "INFO"
    access_log: bool = False
    as_json: bool = False

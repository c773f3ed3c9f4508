"""Masking of plain-text keys in a configuration, so that no view, dump or pickle of it contains them.

detect-secrets is not used: it guesses keys by entropy, while the names of configuration keys are known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from modelmesh._engine.config.source_map import KeyPath, format_path
from modelmesh._engine.foundation.secret import Secret
from modelmesh.errors import ConfigurationError

MAX_DEPTH = 40
"""Maximum nesting of maps and lists, in a file or a dictionary."""

MASKED = "the configuration itself"
"""Source of a :class:`Secret` that was a plain text of the configuration, not an object from the caller."""

_SECRET_NAME = re.compile(
    r"(?:.*_)?(?:api_?key|token|secret|password|passphrase|authorization|encryption_?key)s?|headers", re.IGNORECASE
)
_IN_SECRETS = ("key", "password")
_USER_IN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/@\s]*:[^/@\s]+@", re.IGNORECASE)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def mask_secrets(value: Any, path: KeyPath, *, is_secret: bool = False) -> Any:
    """Return a copy of plain data in which each text that may be a key is a :class:`Secret`.

    References and live objects stay unchanged.

    Args:
        value: Plain data.
        path: Path of the value, for messages.
        is_secret: Whether every text in the value may be a key.

    Raises:
        ConfigurationError: The data is nested too deep.
    """
    if isinstance(value, Mapping | list) and len(path) > MAX_DEPTH:
        where = format_path(path[:4])
        message = f"{where}…: nested more than {MAX_DEPTH} deep. Look for a map or a list that contains itself."
        raise ConfigurationError(message, where=where)
    if isinstance(value, Mapping):
        return {
            key: mask_secrets(item, (*path, str(key)), is_secret=is_secret or _names_a_secret(key, path))
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [mask_secrets(item, (*path, place), is_secret=is_secret) for place, item in enumerate(value)]
    if isinstance(value, str) and value and "${" not in value and (is_secret or _USER_IN_URL.match(value)):
        return Secret(value, source=MASKED)
    return value


def reveal_masked(value: Any) -> Any:
    """Return a copy in which each masked text is plain again."""
    if isinstance(value, Mapping):
        return {key: reveal_masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [reveal_masked(item) for item in value]
    return value.reveal() if isinstance(value, Secret) and value.source == MASKED else value


def _names_a_secret(key: Any, path: KeyPath) -> bool:
    if not path or not isinstance(key, str):
        return False  # a section
    if path[0] == "secrets" and key in _IN_SECRETS:
        return True
    return _SECRET_NAME.fullmatch(_HUMP.sub("_", key).replace("-", "_")) is not None

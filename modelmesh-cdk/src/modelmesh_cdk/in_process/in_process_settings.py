"""Settings of a provider whose model runs in the process, and validators for them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from attrs import field, fields_dict, frozen

from modelmesh.errors import ConfigurationError

Validator = Callable[[Any, Any, Any], None]


def spare_threads() -> int:
    """Return the number of usable cores minus one, at least 1. More threads make small models slower."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, usable - 1)


def _invalid(instance: Any, name: str, value: Any, right: str) -> ConfigurationError:
    return ConfigurationError(f"the provider {instance.connector} got {name}={value!r}. It must be {right}")


def whole_number(least: int = 1) -> Validator:
    """Return a validator of integers."""

    def validate(instance: Any, attribute: Any, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise _invalid(instance, attribute.name, value, f"an integer of at least {least}")

    return validate


def number(least: float) -> Validator:
    """Return a validator of finite numbers."""

    def validate(instance: Any, attribute: Any, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < float("inf"):
            raise _invalid(instance, attribute.name, value, f"a number of at least {least:g}")

    return validate


def text(instance: Any, attribute: Any, value: Any) -> None:
    """Validate that a setting is text."""
    if not isinstance(value, str):
        raise _invalid(instance, attribute.name, value, "text")


def one_of(*values: str) -> Validator:
    """Return a validator of texts from a list."""

    def validate(instance: Any, attribute: Any, value: Any) -> None:
        if value not in values:
            raise _invalid(instance, attribute.name, value, f"one of {', '.join(values)}")

    return validate


def path_or_none(instance: Any, attribute: Any, value: Any) -> None:
    """Validate that a setting is a path. Use it with the converter :func:`to_path`."""
    if value is not None and not isinstance(value, Path):
        raise _invalid(instance, attribute.name, value, "a path")


def to_path(value: Any) -> Any:
    """Convert text to a path, with ``~`` as the home directory. An empty text is ``None``, other values stay unchanged."""
    if not value and (value is None or isinstance(value, str)):
        return None
    return Path(value).expanduser() if isinstance(value, str | os.PathLike) else value


@frozen(kw_only=True)
class InProcessConfig:
    """Settings that every provider in the process has. Unknown keys are ignored.

    Attributes:
        connector: Connector ID, for messages.
        model_id: The model's name in the mesh. Empty for the default.
        threads: Threads of the computation. By default one less than the number of cores.
        timeout: Seconds that an answer may take. ``None`` for the default of the mesh.
        capabilities: Capabilities that replace the default.
    """

    connector: str = field(default="", init=False)
    model_id: str = field(default="", validator=text)
    threads: int = field(factory=spare_threads, validator=whole_number())
    timeout: float | None = None
    capabilities: Sequence[str] = ()

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Read a map. ``None`` values use the default.

        Raises:
            ConfigurationError: A value has the wrong type.
        """
        return cls(**{name: value for name, value in settings.items() if name in cls.names() and value is not None})

    @classmethod
    def names(cls) -> frozenset[str]:
        """Return the names of the settings."""
        return frozenset(name for name, attribute in fields_dict(cls).items() if attribute.init)

"""The whole configuration of a mesh."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.config import schema
from modelmesh._engine.config.merging import merge_configs
from modelmesh._engine.config.problems import Problems
from modelmesh._engine.config.reader import SECTIONS, ConfigReader
from modelmesh._engine.config.references import References
from modelmesh._engine.config.sealing import opened, sealed
from modelmesh._engine.config.sections import Sections
from modelmesh._engine.config.source_map import SourceMap
from modelmesh._engine.foundation.notices import NotEnforcedWarning, warn
from modelmesh.errors import ConfigurationError

__all__ = ["MeshConfig", "NotEnforcedWarning", "Sections"]


class MeshConfig:
    """A configuration, read and not yet acted on.

    Keys that stand in it as plain text are sealed: ``vars()``, ``repr()`` and a pickle of it hold none.

    Attributes:
        source_map: Where each key stands, when it came from a file.
    """

    def __init__(self, raw: Any, source_map: SourceMap | None = None) -> None:
        """Take plain data.

        Raises:
            ConfigurationError: It is not a map, or is nested too deep.
        """
        if not isinstance(raw, Mapping):
            where = source_map.where(()) if source_map else "configuration"
            message = (
                f"{where}: must be a map of sections ({', '.join(SECTIONS)}), not {type(raw).__name__}. "
                "Begin with 'providers:' and 'pools:'."
            )
            raise ConfigurationError(message, where=where)
        self._sealed: dict[str, Any] = {name: sealed(section, (str(name),)) for name, section in raw.items()}
        self.source_map = source_map or SourceMap()
        self._sections: Sections | None = None

    @property
    def raw(self) -> dict[str, Any]:
        """The plain data as it was given, keys included: a new copy each time."""
        found: dict[str, Any] = opened(self._sealed)
        return found

    @classmethod
    def from_file(cls, path: str) -> MeshConfig:
        """Read a YAML file, or a JSON file when its name ends in ``.json``.

        Raises:
            ConfigurationError: It cannot be read; the message says where and why.
        """
        from modelmesh._engine.config.load import load_file  # noqa: PLC0415 - the YAML reader is only needed for files

        data, source_map = load_file(str(path))
        return cls({} if data is None else data, source_map)

    @classmethod
    def from_yaml(cls, path: str) -> MeshConfig:
        """Read a YAML file."""
        return cls.from_file(path)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> MeshConfig:
        """Take a dictionary; live objects may stand under ``instance`` and ``strategy_instance``."""
        return cls(data)

    @classmethod
    def of(cls, config: str | Mapping[str, Any] | MeshConfig) -> MeshConfig:
        """Take any of the forms that ``create(config=…)`` accepts."""
        if isinstance(config, MeshConfig):
            return config
        if isinstance(config, Mapping):
            return cls(config)
        return cls.from_file(str(config))

    def merge(self, overrides: Mapping[str, Any] | MeshConfig) -> MeshConfig:
        """Return a configuration in which ``overrides`` win, key by key; neither input changes."""
        other = overrides._sealed if isinstance(overrides, MeshConfig) else overrides  # noqa: SLF001 - our own
        return MeshConfig(merge_configs(self._sealed, other), self.source_map)

    def replaced(self, **sections: Any) -> MeshConfig:
        """Return a configuration in which these sections stand in place of its own; ``None`` leaves a section out."""
        kept = {**self._sealed, **sections}
        return MeshConfig({name: section for name, section in kept.items() if section is not None}, self.source_map)

    def validate(self) -> list[str]:
        """Return what is wrong, a message each; empty when nothing is.

        Only the form is checked. ``modelmesh check`` also looks at connectors, models and secrets.
        """
        problems = Problems(self.source_map)
        self.read(problems)
        return problems.messages

    def read(self, problems: Problems, references: References | None = None) -> Sections:
        """Return the typed values of everything that is right, and collect the problems of the rest.

        Args:
            problems: Collects them.
            references: Answers references; without it, what refers to something is left out unchecked.
        """
        return ConfigReader(self._sealed, problems, references).read()

    def read_secrets(self, problems: Problems) -> schema.SecretsSection | None:
        """Return the ``secrets`` section alone, from which the store is made that the other sections may refer to."""
        return ConfigReader(self._sealed, problems).secrets()

    @property
    def sections(self) -> Sections:
        """Typed values, read once.

        Raises:
            ConfigurationError: Something is wrong; the message lists all of it.
        """
        if self._sections is not None:
            return self._sections
        problems = Problems(self.source_map)
        sections = self.read(problems)
        if problems:
            raise problems.error()
        warn_not_enforced(problems)
        self._sections = sections
        return sections

    @property
    def is_overlay(self) -> bool:
        """Whether it names no provider, model or pool, and so only adds to what is detected."""
        return not any(self._sealed.get(section) for section in ("providers", "models", "pools"))

    @property
    def capabilities(self) -> tuple[str, ...]:
        """The names of the section ``capabilities``."""
        stated = self._sealed.get("capabilities") or ()
        return tuple(name for name in stated if isinstance(name, str)) if isinstance(stated, list | tuple) else ()

    def __repr__(self) -> str:
        return f"<MeshConfig {self.source_map.file or 'from a dictionary'}: {', '.join(map(str, self._sealed)) or 'empty'}>"


def warn_not_enforced(problems: Problems) -> None:
    """Warn of every key that changes nothing."""
    for path, what in problems.notes:
        warn(f"{problems.source_map.where(path)}: {what}", NotEnforcedWarning)

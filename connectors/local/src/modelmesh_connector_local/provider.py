"""A GGUF chat model in the current process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from typing import Any, ClassVar

from attrs import evolve

from modelmesh.contracts import CHAT, Call, ModelInfo
from modelmesh_cdk import InProcessProvider, InProcessTask
from modelmesh_connector_local.config import ID, LocalConfig
from modelmesh_connector_local.generation import Generation
from modelmesh_connector_local.request import encode
from modelmesh_connector_local.runtime import load

MIB = 1024 * 1024


class LocalProvider(InProcessProvider):
    """One small chat model. It needs no network and no key, and costs nothing. It does not support tools and images."""

    id: ClassVar[str] = ID
    operations: ClassVar[tuple[str, ...]] = (CHAT.name,)
    config_class = LocalConfig
    config: LocalConfig

    def check_installed(self) -> None:
        """Check that the weights and the runtime are installed.

        Raises:
            ConfigurationError: One of them is missing.
        """
        self.config.weights()

    def loader(self) -> Callable[[], Any]:
        """Return a function that loads the model."""
        return partial(load, self.config, self.config.weights())

    @property
    def name(self) -> str:
        """The model's name in the mesh."""
        return self.config.name

    def describe(self) -> dict[str, str]:
        """Return facts for ``modelmesh local status``, by name."""
        weights = self.config.weights()
        return {
            "model": self.name,
            "runtime": f"xllamacpp {version('xllamacpp')}",
            "weights": f"{weights} ({weights.stat().st_size / MIB:.0f} MiB)",
            "threads": str(self.config.threads),
            "context": f"{self.config.n_ctx} tokens",
        }

    def models(self) -> Sequence[ModelInfo]:
        """Return the only model."""
        (shipped,) = super().models()
        config = self.config
        own: dict[str, Any] = {"context_window": config.n_ctx}
        if config.model_path is not None:  # the catalogue row describes the default weights only
            own["features"] = {name: able for name, able in shipped.features.items() if name != "system_prompt"}
            own["extra"] = {"source": f"the file {config.model_path.name}, given as model_path", "as_of": shipped.extra["as_of"]}
        return (evolve(shipped, **own),)

    def prepare(self, call: Call) -> InProcessTask:
        """Read a request."""
        request, adapted = encode(call, self.config)
        return InProcessTask(Generation(call, self.name, request).run, adapted)

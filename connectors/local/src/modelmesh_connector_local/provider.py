"""A GGUF chat model in the current process."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from threading import Lock, current_thread
from typing import Any, ClassVar, Self

from attrs import evolve, fields_dict

from modelmesh.contracts import Answer, Call, FailureClass, Limits, ModelInfo
from modelmesh_cdk import load_catalogue, provider_error
from modelmesh_connector_local.answers import ChunkConverter, ResponseBuilder
from modelmesh_connector_local.config import LocalConfig
from modelmesh_connector_local.engine import END, Engine, Generation
from modelmesh_connector_local.request import encode
from modelmesh_connector_local.runtime import load
from modelmesh_connector_local.streams import AsyncChunkQueue, AsyncLocalStream, ChunkQueue, Deadline, LocalStream

MIB = 1024 * 1024
CHAT_CAPABILITY = "generation.text-generation.chat-completion"


class LocalProvider:
    """One small model, loaded by the first request and shared by all threads and tasks. It answers requests in sequence.

    The model needs no network and no key, and costs nothing. It does not support tools and images.

    Attributes:
        id: Connector ID, the same as the entry point's name.
        config: Its settings.
        capabilities: Capabilities of the model.
        timeout: Seconds that an answer may take. ``None`` for the default of the mesh.
        max_retries: ``None``, for the setting of the pool.
    """

    id: ClassVar[str] = "modelmesh.local.v1"

    def __init__(self, config: LocalConfig | Mapping[str, Any] | None = None, **settings: Any) -> None:
        """Read the settings. Nothing is loaded.

        Args:
            config: Settings, as an object or a map.
            **settings: Settings by name.

        Raises:
            ConfigurationError: The weights or the runtime are not installed, or a setting is wrong.
        """
        if not isinstance(config, LocalConfig):
            config = LocalConfig.of({**(config or {}), **settings})
        self.config = config
        self.capabilities: tuple[str, ...] = tuple(config.capabilities or (CHAT_CAPABILITY,))
        self.timeout = config.timeout
        self.max_retries: int | None = None
        self._load: Callable[[], Any] = partial(load, config, config.weights())
        self._lock = Lock()
        self._engine: Engine | None = None

    @classmethod
    def known_settings(cls) -> frozenset[str]:
        """Return the settings that this provider reads."""
        return frozenset(fields_dict(LocalConfig))

    @classmethod
    def from_config(cls, settings: Mapping[str, Any]) -> Self:
        """Create a provider from its merged configuration."""
        return cls(settings)

    def describe(self) -> dict[str, str]:
        """Return facts for ``modelmesh local status``, by name."""
        weights = self.config.weights()
        return {
            "model": self.config.name,
            "runtime": f"xllamacpp {version('xllamacpp')}",
            "weights": f"{weights} ({weights.stat().st_size / MIB:.0f} MiB)",
            "threads": str(self.config.threads),
            "context": f"{self.config.n_ctx} tokens",
        }

    def models(self) -> Sequence[ModelInfo]:
        """Return the only model."""
        shipped = load_catalogue(__name__.partition(".")[0])[0]
        config = self.config
        own: dict[str, Any] = {}
        if config.model_path is not None:  # the catalogue row describes the default weights only
            own["features"] = {name: able for name, able in shipped.features.items() if name != "system_prompt"}
            own["extra"] = {"source": f"the file {config.model_path.name}, given as model_path", "as_of": shipped.extra["as_of"]}
        if config.capabilities:
            own["capabilities"] = self.capabilities
        return (evolve(shipped, id=config.name, upstream=config.name, context_window=config.n_ctx, **own),)

    # -- one attempt --------------------------------------------------------------------------------------------------

    def send(self, call: Call, model: str, limits: Limits) -> Answer | LocalStream:
        """Serve one attempt, as :meth:`modelmesh.contracts.provider.Provider.send`."""
        self._check_name(model)
        request, adapted = encode(call, self.config)
        deadline, chunks = Deadline(limits, stream=call.stream), ChunkConverter(call, self.config.name)
        queue = ChunkQueue(deadline)
        generation = self._begin(request, queue.deliver)
        if call.stream:
            return LocalStream(queue, generation, chunks, adapted, deadline)
        try:
            builder = ResponseBuilder()
            while (item := queue.next()) is not END:
                for chunk in chunks.take(item):
                    builder.add(chunk)
        finally:
            generation.stop()
        return _answer(builder, chunks, adapted)

    async def asend(self, call: Call, model: str, limits: Limits) -> Answer | AsyncLocalStream:
        """Serve one attempt without blocking the event loop. Cancellation stops the model."""
        self._check_name(model)
        request, adapted = encode(call, self.config)
        deadline, chunks = Deadline(limits, stream=call.stream), ChunkConverter(call, self.config.name)
        queue = AsyncChunkQueue(deadline)
        generation = self._begin(request, queue.deliver)
        if call.stream:
            return AsyncLocalStream(queue, generation, chunks, adapted, deadline)
        try:
            builder = ResponseBuilder()
            while (item := await queue.next()) is not END:
                for chunk in chunks.take(item):
                    builder.add(chunk)
        finally:
            generation.stop()
        return _answer(builder, chunks, adapted)

    def _check_name(self, model: str) -> None:
        if model != self.config.name:
            message = (
                f"the local provider has one model, {self.config.name!r}, but the request names {model!r}. "
                "Request that model, or rename it with model_id"
            )
            raise provider_error(FailureClass.NOT_FOUND, message, status=404, code="model_not_found")

    def _begin(self, request: dict[str, Any], deliver: Callable[[Any], None]) -> Generation:
        generation = Generation(request, deliver)
        with self._lock:
            if self._engine is None or not self._engine.is_alive():
                self._engine = Engine(self._load)
                self._engine.start()
                weakref.finalize(self, self._engine.close).atexit = False  # the exit hook of the engine module waits for engines
            self._engine.submit(generation)
        return generation

    # -- life cycle ---------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop the generation and free the model. A later request loads it again. Idempotent."""
        with self._lock:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()
            if engine is not current_thread():
                engine.join()

    async def aclose(self) -> None:
        """Close without blocking the event loop. The model is shared by all event loops, so it is freed for all of them."""
        await asyncio.to_thread(self.close)

    def after_fork(self) -> None:
        """Discard the parent's engine in a child process, so that the child loads its own model."""
        self._lock = Lock()
        self._engine = None

    def __repr__(self) -> str:
        return f"<LocalProvider {self.id} with {self.config.name}>"


def _answer(builder: ResponseBuilder, chunks: ChunkConverter, adapted: Sequence[str]) -> Answer:
    for chunk in chunks.finish():
        builder.add(chunk)
    if not builder.finished:
        raise provider_error(FailureClass.PROTOCOL, "the local model ended its response without a finish reason")
    return Answer(builder.body(), {}, adapted)

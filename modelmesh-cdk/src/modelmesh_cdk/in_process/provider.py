"""Base class of providers whose model runs in the process."""

from __future__ import annotations

import asyncio
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from functools import partial
from threading import Lock, current_thread
from typing import Any, ClassVar, Self

from attrs import evolve, field, frozen

from modelmesh.contracts import Answer, AsyncEventStream, Call, ConnectorId, EventStream, FailureClass, Limits, ModelInfo
from modelmesh_cdk.in_process.engine import END, Emit, Engine, Job
from modelmesh_cdk.in_process.in_process_settings import InProcessConfig
from modelmesh_cdk.in_process.streams import AsyncInProcessStream, AsyncItemQueue, Deadline, InProcessStream, ItemQueue
from modelmesh_cdk.provider.catalogue import load_catalogue
from modelmesh_cdk.provider.provider_errors import provider_error


@frozen
class InProcessTask:
    """One request, ready to run.

    Attributes:
        run: Runs the task in the engine's thread, with the loaded model and a function that passes on an item: each item of a
            stream, or the body of a complete answer. The function returns whether to continue. It passes on nothing for
            ``None``, so call it with ``None`` where the task can be stopped.
        adapted: Parameters that were dropped, renamed or converted, one line each.
        headers: Response headers, for example ``content-type`` of audio. Names in lower case.
    """

    run: Callable[[Any, Emit], None]
    adapted: Sequence[str] = ()
    headers: Mapping[str, str] = field(factory=dict)

    @classmethod
    def iterate(
        cls, items: Callable[[Any], Generator[Any]], adapted: Sequence[str] = (), headers: Mapping[str, str] | None = None
    ) -> Self:
        """Return a task that passes on what a generator yields.

        Args:
            items: Receives the loaded model and yields items, and ``None`` where the task can be stopped. A stopped generator is
                closed.
            adapted: Parameters that were dropped, renamed or converted.
            headers: Response headers.
        """
        return cls(partial(_pass_on, items), adapted, headers or {})


class InProcessProvider(ABC):
    """One model in the process, loaded by the first request and shared by all threads and tasks. It serves them in sequence.

    Override :meth:`check_installed`, :meth:`loader` and :meth:`prepare`. Time in the queue and the loading count towards the
    limits of a request. Cancellation, an exceeded limit and a closed stream stop the model at its next checkpoint. A forked child
    loads its own model.

    Attributes:
        id: Connector ID, the same as the entry point's name.
        label: Name of the model in messages, e.g. ``local speech model``.
        operations: Names of the operations that the provider serves.
        config: Its settings.
        capabilities: Capabilities of the model.
        timeout: Seconds that an answer may take. ``None`` for the default of the mesh.
        max_retries: ``None``, for the setting of the pool.
    """

    id: ClassVar[str]
    label: ClassVar[str] = "local model"
    operations: ClassVar[tuple[str, ...]]
    config_class: ClassVar[type[InProcessConfig]]

    def __init__(self, config: InProcessConfig | Mapping[str, Any] | None = None, **settings: Any) -> None:
        """Read the settings. Nothing is loaded.

        Args:
            config: Settings, as an object or a map.
            **settings: Settings by name.

        Raises:
            ConfigurationError: The weights or the runtime are not installed, or a setting is wrong.
        """
        if not isinstance(config, InProcessConfig):
            config = self.config_class.of({**(config or {}), **settings})
        self.config: Any = config
        shipped = self.shipped_model()
        self.capabilities: tuple[str, ...] = tuple(config.capabilities or shipped.capabilities)
        self.timeout = config.timeout
        self.max_retries: int | None = None
        self.check_installed()
        self._load: Callable[[], Any] = self.loader()
        self._lock = Lock()
        self._engine: Engine | None = None

    # -- to override --------------------------------------------------------------------------------------------------

    @abstractmethod
    def check_installed(self) -> None:
        """Check that the weights and the runtime are installed, without importing them.

        Raises:
            ConfigurationError: They are not. The message contains the command that installs them.
        """

    @abstractmethod
    def loader(self) -> Callable[[], Any]:
        """Return a function that loads the model. The engine calls it in its thread. It must not refer to the provider."""

    @abstractmethod
    def prepare(self, call: Call) -> InProcessTask:
        """Read a request. Nothing is loaded or computed.

        Raises:
            ProviderError: The request is invalid, or the model does not support a part of it.
        """

    def describe(self) -> dict[str, str]:
        """Return facts for ``modelmesh local status``, by name."""
        return {"model": self.name, "threads": str(self.config.threads)}

    @property
    def name(self) -> str:
        """The model's name in the mesh."""
        return str(self.config.model_id or self.shipped_model().id)

    # -- the catalogue ------------------------------------------------------------------------------------------------

    @classmethod
    def shipped_model(cls) -> ModelInfo:
        """Return the facts about the model: by default the first row of ``models.json`` in the package."""
        packages = (base.__module__.partition(".")[0] for base in cls.__mro__)
        return next(rows[0] for package in packages if (rows := load_catalogue(package, cls)))

    @classmethod
    def known_settings(cls) -> frozenset[str]:
        """Return the settings that this provider reads."""
        return cls.config_class.names()

    @classmethod
    def from_config(cls, settings: Mapping[str, Any]) -> Self:
        """Create a provider from its merged configuration."""
        return cls(settings)

    def models(self) -> Sequence[ModelInfo]:
        """Return the only model."""
        own: dict[str, Any] = {"id": self.name, "upstream": self.name, "capabilities": self.capabilities}
        return (evolve(self.shipped_model(), **own),)

    # -- one attempt --------------------------------------------------------------------------------------------------

    def send(self, call: Call, model: str, limits: Limits) -> Answer | EventStream:
        """Serve one attempt, as :meth:`modelmesh.contracts.provider.Provider.send`."""
        task = self._checked_task(call, model)
        deadline = Deadline(limits, self.label, stream=call.stream)
        queue = ItemQueue(deadline)
        job = self._begin(task, queue.deliver)
        if call.stream:
            return InProcessStream(queue, job, task.headers, task.adapted, deadline)
        try:
            body = END
            while (item := queue.next()) is not END:
                body = item
        finally:
            job.stop()
        return self.answer(body, task)

    async def asend(self, call: Call, model: str, limits: Limits) -> Answer | AsyncEventStream:
        """Serve one attempt without blocking the event loop. Cancellation stops the model."""
        task = self._checked_task(call, model)
        deadline = Deadline(limits, self.label, stream=call.stream)
        queue = AsyncItemQueue(deadline)
        job = self._begin(task, queue.deliver)
        if call.stream:
            return AsyncInProcessStream(queue, job, task.headers, task.adapted, deadline)
        try:
            body = END
            while (item := await queue.next()) is not END:
                body = item
        finally:
            job.stop()
        return self.answer(body, task)

    def _checked_task(self, call: Call, model: str) -> InProcessTask:
        if model != self.name:
            message = (
                f"the {self.label} is named {self.name!r}, but the request names {model!r}. "
                "Request that model, or rename it with model_id"
            )
            raise provider_error(FailureClass.NOT_FOUND, message, status=404, code="model_not_found")
        if call.operation.name not in self.operations:
            message = f"the {self.label} does not support the operation {call.operation.name}"
            raise provider_error(FailureClass.CAPABILITY, message, status=400, code="unsupported_operation")
        task = self.prepare(call)
        if call.strict and task.adapted:
            message = f"the {self.label} cannot serve the request unchanged, and the pool is strict: {'; '.join(task.adapted)}"
            raise provider_error(FailureClass.CAPABILITY, message, status=400, code="unsupported_parameter")
        return task

    def answer(self, body: Any, task: InProcessTask) -> Answer:
        """Return the complete answer of a task that yielded this body."""
        if body is END:
            raise provider_error(FailureClass.PROTOCOL, f"the {self.label} ended without a result")
        return Answer(body, task.headers, task.adapted)

    def _begin(self, task: InProcessTask, deliver: Callable[[Any], None]) -> Job:
        job = Job(task.run, deliver)
        with self._lock:
            if self._engine is None or not self._engine.is_alive():
                self._engine = Engine(self.label, ConnectorId.parse(self.id).provider_name, self._load)
                self._engine.start()
                weakref.finalize(self, self._engine.close).atexit = False  # the exit hook of the engine module waits for engines
            self._engine.submit(job)
        return job

    # -- life cycle ---------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop the running task and free the model. A later request loads it again. Idempotent."""
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
        return f"<{type(self).__name__} {self.id} with {self.name}>"


def _pass_on(items: Callable[[Any], Generator[Any]], model: Any, emit: Emit) -> None:
    """Pass the items of a generator to the caller until the caller stops waiting."""
    with closing(items(model)) as found:
        for item in found:
            if not emit(item):
                break

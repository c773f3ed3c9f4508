"""The client for threads."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar

from modelmesh.client.arguments import make_call
from modelmesh.client.raw import RawCompletions
from modelmesh.client.replies import ChatCompletion, CreateEmbeddingResponse, Reply
from modelmesh.client.shapes import ModelList
from modelmesh.client.streams import Stream
from modelmesh.errors import ConfigurationError
from modelmesh.operations import CHAT, EMBEDDINGS
from modelmesh.origin import mark_answer

if TYPE_CHECKING:
    from modelmesh.mesh import ModelMesh
    from modelmesh.routing.explain import Explanation
    from modelmesh.status import PoolInfo
    from modelmesh.usage import UsageTracker


Completed = TypeVar("Completed", bound=Reply)


class Completions:
    """``client.chat.completions``."""

    def __init__(self, mesh: ModelMesh) -> None:
        self._mesh = mesh

    def create(self, **arguments: Any) -> Any:
        """Ask for a chat completion.

        Args:
            **arguments: Every parameter of OpenAI's endpoint; those this version does not know travel on as they are.
                ``model`` is a pool or capability. Beside them: ``extra_headers``, ``extra_query``, ``extra_body``,
                ``timeout`` (seconds, over all attempts), ``session_id`` and ``preferred_provider``.

        Returns:
            A :class:`ChatCompletion`, or a :class:`Stream` of chunks with ``stream=True``.

        Raises:
            AllProvidersExhaustedError: Every attempt failed.
            NoActiveModelError: No model is able and ready.
            BadRequestError: The request itself is wrong; no other provider was asked.
            CapabilityNotFoundError: No pool serves ``model``.
        """
        mesh = self._mesh
        call = make_call(CHAT, arguments)
        served = mesh.serve(call)
        if call.stream:
            return Stream(mesh, call, served)
        return completed(ChatCompletion, served, call, mesh)

    @property
    def with_raw_response(self) -> RawCompletions:
        """The same with ``parse()``, for callers of the official SDK's raw interface."""
        return RawCompletions(self)


def completed(shape: type[Completed], served: Any, call: Any, mesh: ModelMesh) -> Completed:
    """Make the reply of a whole answer; ``model`` says which model it really was."""
    body = served.outcome.body
    body["model"] = served.candidate.model_id
    if shape is ChatCompletion:
        body.setdefault("object", "chat.completion")
        mark_answer(body, served.candidate.provider.id)
        if not body.get("created"):
            body["created"] = int(time.time())
    else:
        body.setdefault("object", "list")
    return shape(body, served, call, mesh.clock)


class Embeddings:
    """``client.embeddings``."""

    def __init__(self, mesh: ModelMesh) -> None:
        self._mesh = mesh

    def create(self, **arguments: Any) -> CreateEmbeddingResponse:
        """Turn texts into vectors.

        Args:
            **arguments: Every parameter of OpenAI's endpoint: ``model`` (a pool or capability), ``input`` (a text or a
                list of texts), ``encoding_format``, ``dimensions`` …, and the extras of chat completions.

        Returns:
            ``data[i].embedding`` is the vector of the i-th text.

        Raises:
            AllProvidersExhaustedError: Every attempt failed.
            NoActiveModelError: No model is able and ready.
            BadRequestError: The request itself is wrong; no other provider was asked.
            CapabilityNotFoundError: No pool serves ``model``.
        """
        call = make_call(EMBEDDINGS, arguments)
        return completed(CreateEmbeddingResponse, self._mesh.serve(call), call, self._mesh)


class Chat:
    """``client.chat``."""

    def __init__(self, mesh: ModelMesh) -> None:
        self.completions = Completions(mesh)


class Models:
    """``client.models``."""

    def __init__(self, mesh: ModelMesh) -> None:
        self._mesh = mesh

    def list(self) -> ModelList:
        """Return every real model of every pool."""
        return listed(self._mesh)


def listed(mesh: ModelMesh) -> ModelList:
    """Return every real model of every pool, in OpenAI's shape."""
    rows = [
        {"id": c.model_id, "object": "model", "created": int(c.info.extra.get("created", 0)), "owned_by": c.provider_id}
        for c in mesh.list_models()
    ]
    return ModelList({"object": "list", "data": rows})


class Introspection:
    """What both clients know of their mesh."""

    def __init__(self, mesh: ModelMesh) -> None:
        self.mesh = mesh

    @property
    def usage(self) -> UsageTracker:
        """What was used and what it cost."""
        return self.mesh.usage

    def pool_status(self, pool: str | None = None) -> dict[str, PoolInfo]:
        """Return each pool's health: ``active``, ``standby``, ``total``, ``current_model``."""
        return self.mesh.pool_status(pool)

    def active_providers(self) -> list[str]:
        """Return the providers that have an active model."""
        return self.mesh.active_providers()

    def rotate(self, pool: str) -> str:
        """Put the pool's current model in standby and return the new one's ID.

        Raises:
            NoActiveModelError: There is no other; the current one stays.
        """
        return self.mesh.rotate(pool)

    def describe(self, pool: str | None = None) -> str:
        """Return the pools and their models as text."""
        return self.mesh.describe(pool)

    def explain(self, model: str, **arguments: Any) -> Explanation:
        """Say where a request would go now, and why; nothing is sent.

        Args:
            model: Pool or capability.
            **arguments: The request's other arguments, when they matter: ``tools``, ``stream``, ``messages`` …
        """
        call = make_call(CHAT, {"messages": [], **arguments, "model": model})
        return self.mesh.explain(model, call)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.mesh!r}>"


class MeshClient(Introspection):
    """OpenAI's interface over a mesh. Safe to share between threads; ``with`` or :meth:`close` shuts the mesh down."""

    def __init__(self, mesh: ModelMesh) -> None:
        super().__init__(mesh)
        self.chat = Chat(mesh)
        self.embeddings = Embeddings(mesh)
        self.models = Models(mesh)

    @cached_property
    def audio(self) -> Any:
        """Speech and transcription; not in this version."""
        return NotServed("audio")

    @cached_property
    def images(self) -> Any:
        """Image generation; not in this version."""
        return NotServed("images")

    def close(self) -> None:
        """Shut the mesh down."""
        self.mesh.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.mesh.ashutdown()


class NotServed:
    """A part of OpenAI's interface that no installed package serves."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return NotServed(f"{self._name}.{name}")

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse.

        Raises:
            ConfigurationError: Always; it says what to install.
        """
        message = (
            f"client.{self._name}() is not served by modelmesh-core 0.1, which serves chat.completions and embeddings. "
            "Upgrade when it is released: pip install -U modelmesh-core modelmesh-connector-openai"
        )
        raise ConfigurationError(message)

"""The client for threads."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Self, TypeVar, Unpack, overload

from modelmesh._engine.foundation.wording import NAME_SHOWN, name_of
from modelmesh._engine.routing.candidates import Candidate, Candidates
from modelmesh.client.arguments import make_call
from modelmesh.client.defaults import NO_DEFAULTS, Defaults
from modelmesh.client.history import LiveHistory
from modelmesh.client.raw import Raw, Streaming
from modelmesh.client.replies import ChatCompletion, CreateEmbeddingResponse, Reply
from modelmesh.client.shapes import ModelCard, ModelList
from modelmesh.client.streams import Stream
from modelmesh.client.unbuilt import Unbuilt
from modelmesh.contracts.conversation import mark_answer
from modelmesh.contracts.operations import CHAT, EMBEDDINGS
from modelmesh.errors import CapabilityNotFoundError

if TYPE_CHECKING:
    from modelmesh._engine.mesh import ModelMesh
    from modelmesh._engine.routing.explain import Explanation
    from modelmesh._engine.telemetry.status import PoolInfo
    from modelmesh._engine.telemetry.usage import UsageTracker
    from modelmesh.client.parameters import ChatParameters, EmbeddingParameters


Completed = TypeVar("Completed", bound=Reply)


class Completions(Unbuilt):
    """``client.chat.completions``."""

    _below = "chat.completions."

    def __init__(self, mesh: ModelMesh, defaults: Defaults = NO_DEFAULTS) -> None:
        self._mesh = mesh
        self._defaults = defaults

    @overload
    def create(self, *, stream: Literal[False] | None = None, **arguments: Unpack[ChatParameters]) -> ChatCompletion: ...

    @overload
    def create(self, *, stream: Literal[True], **arguments: Unpack[ChatParameters]) -> Stream: ...

    @overload
    def create(self, *, stream: bool, **arguments: Unpack[ChatParameters]) -> ChatCompletion | Stream: ...

    def create(self, **arguments: Any) -> Any:
        """Request a chat completion.

        Args:
            **arguments: Every parameter of OpenAI's endpoint; those that this version does not know travel on as they
                are. ``model`` is a pool or capability. Also accepted: ``extra_headers``, ``extra_query``, ``extra_body``,
                ``timeout`` (seconds, over all attempts), ``session_id``, ``preferred_provider`` and ``only_providers``.

        Returns:
            A :class:`ChatCompletion`, or a :class:`Stream` of chunks with ``stream=True``.

        Raises:
            AllProvidersExhaustedError: Every attempt failed.
            NoActiveModelError: No model is eligible and available.
            BadRequestError: The request itself is wrong.
            CapabilityNotFoundError: No pool serves ``model``.
        """
        mesh = self._mesh
        call = make_call(CHAT, self._defaults.under(arguments))
        served = mesh.serve(call)
        if call.stream:
            return Stream(mesh, call, served)
        return completed(ChatCompletion, served, call, mesh)

    @property
    def with_raw_response(self) -> Raw[Any]:
        """The same with the response headers, for callers of the official SDK's raw interface."""
        return Raw(self.create)

    @property
    def with_streaming_response(self) -> Streaming:
        """The same as a context manager, for callers of the official SDK's streaming interface."""
        return Streaming(self.create)


def completed(shape: type[Completed], served: Any, call: Any, mesh: ModelMesh) -> Completed:
    """Return the reply of a whole answer; its ``model`` is the real model."""
    body = served.outcome.body
    body["model"] = served.candidate.model_id
    if shape is ChatCompletion:
        body.setdefault("object", "chat.completion")
        mark_answer(body, served.candidate.provider.id)
        for choice in body.get("choices") or ():
            if isinstance(choice, dict) and isinstance(choice.get("message"), dict):
                choice["message"].setdefault("content", None)  # as OpenAI does; some vendors leave it out of tool calls
        if not body.get("created"):
            body["created"] = int(time.time())
    else:
        body.setdefault("object", "list")
    return shape(body, LiveHistory(served, call, mesh.clock))


class Embeddings:
    """``client.embeddings``."""

    def __init__(self, mesh: ModelMesh, defaults: Defaults = NO_DEFAULTS) -> None:
        self._mesh = mesh
        self._defaults = defaults

    def create(self, **arguments: Unpack[EmbeddingParameters]) -> CreateEmbeddingResponse:
        """Turn texts into vectors.

        Args:
            **arguments: Every parameter of OpenAI's endpoint: ``model`` (a pool or capability), ``input`` (a text or a
                list of texts), ``encoding_format``, ``dimensions`` …, and the extras of chat completions.

        Returns:
            ``data[i].embedding`` is the vector of the i-th text.

        Raises:
            AllProvidersExhaustedError: Every attempt failed.
            NoActiveModelError: No model is eligible and available.
            BadRequestError: The request itself is wrong.
            CapabilityNotFoundError: No pool serves ``model``.
        """
        call = make_call(EMBEDDINGS, self._defaults.under(arguments))
        return completed(CreateEmbeddingResponse, self._mesh.serve(call), call, self._mesh)

    def __repr__(self) -> str:
        return "<client.embeddings>"

    @property
    def with_raw_response(self) -> Raw[CreateEmbeddingResponse]:
        """The same with the response headers, for callers of the official SDK's raw interface."""
        return Raw(self.create)

    @property
    def with_streaming_response(self) -> Streaming:
        """The same as a context manager, for callers of the official SDK's streaming interface."""
        return Streaming(self.create)


class Chat:
    """``client.chat``."""

    def __init__(self, mesh: ModelMesh, defaults: Defaults = NO_DEFAULTS) -> None:
        self.completions = Completions(mesh, defaults)

    def __repr__(self) -> str:
        return "<client.chat: completions>"


class Models(Unbuilt):
    """``client.models``."""

    _below = "models."

    def __init__(self, mesh: ModelMesh) -> None:
        self._mesh = mesh

    def list(self, **_: Any) -> ModelList:
        """Return every real model of every pool."""
        return listed(self._mesh)

    def retrieve(self, model: str, **_: Any) -> ModelCard:
        """Return one real model.

        Raises:
            CapabilityNotFoundError: No pool has it.
        """
        return retrieved(self._mesh, model)


def listed(mesh: ModelMesh) -> ModelList:
    """Return every real model of every pool, in OpenAI's shape."""
    rows = [_card(candidate) for candidate in mesh.list_models()]
    return ModelList({"object": "list", "data": rows})


def retrieved(mesh: ModelMesh, model: str) -> ModelCard:
    """Return one real model of a pool, by its ID with or without its provider.

    Raises:
        CapabilityNotFoundError: No pool has it.
    """
    for pool in mesh.list_pools():
        found = Candidates(pool, pool.mask_of_model(model)).first()
        if found is not None:
            return ModelCard(_card(found))
    message = f"no pool has the model {name_of(model)}. List the models: client.models.list()."
    raise CapabilityNotFoundError(message, pool_name=str(model)[:NAME_SHOWN])


def _card(candidate: Candidate) -> dict[str, Any]:
    created = candidate.info.extra.get("created")
    known = int(created) if isinstance(created, int | float) and created > 0 else None
    return {"id": candidate.model_id, "object": "model", "created": known, "owned_by": candidate.provider_id}


class Introspection(Unbuilt):
    """What both clients know of their mesh."""

    def __init__(self, mesh: ModelMesh, defaults: Defaults = NO_DEFAULTS) -> None:
        self.mesh = mesh
        self._bind(defaults)

    def _bind(self, defaults: Defaults) -> None:
        """Make the parts of the interface, whose calls have these defaults."""
        self._defaults = defaults

    def with_options(self, **options: Any) -> Self:
        """Return a client of the same mesh whose calls have other defaults.

        Args:
            **options: ``timeout``, ``max_retries``, ``default_headers``, ``default_query``, ``set_default_headers`` and
                ``set_default_query``, as the official SDK has them, and ``only_providers``. Closing the copy closes the mesh.

        Raises:
            ConfigurationError: An option is unknown, or belongs to an account and is set in the configuration.
        """
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        made._bind(self._defaults.with_options(options))
        return made

    def copy(self, **options: Any) -> Self:
        """Return the same as :meth:`with_options`."""
        return self.with_options(**options)

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

    def recover(self, pool: str, model: str | None = None) -> list[str]:
        """Make models of a pool active again, whatever put them in standby: ``rotate()``, failures, a policy.

        Args:
            pool: Name of the pool.
            model: ID of one model, with or without its provider; by default every model that is in standby.

        Returns:
            The models that are active now and were not, as ``provider/model``. A quota that is exhausted stays so.

        Raises:
            CapabilityNotFoundError: There is no such pool, or it has no such model.
        """
        return self.mesh.recover(pool, model)

    def describe(self, pool: str | None = None) -> str:
        """Return the pools and their models as text."""
        return self.mesh.describe(pool, only_providers=self._defaults.only_providers)

    def explain(self, model: str, **arguments: Any) -> Explanation:
        """Return where a request would go now, and why; nothing is sent.

        Args:
            model: Pool or capability.
            **arguments: The request's other arguments, when they matter: ``tools``, ``stream``, ``messages`` …
        """
        call = make_call(CHAT, self._defaults.under({"messages": [], **arguments, "model": model}))
        return self.mesh.explain(model, call)

    def __copy__(self) -> Self:
        return self.with_options()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.with_options()

    def __reduce__(self) -> NoReturn:
        message = "a client cannot be pickled: it holds connections and locks. Create one in each process: modelmesh.create(…)"
        raise TypeError(message)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.mesh!r}>"


class MeshClient(Introspection):
    """OpenAI's interface over a mesh. Safe to share between threads; ``with`` or :meth:`close` shuts the mesh down."""

    def _bind(self, defaults: Defaults) -> None:
        super()._bind(defaults)
        self.chat = Chat(self.mesh, defaults)
        self.embeddings = Embeddings(self.mesh, defaults)
        self.models = Models(self.mesh)

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

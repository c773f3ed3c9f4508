"""Base of both clients: options of all calls, introspection of the mesh, and manual control."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Self

from modelmesh.client.arguments import call_options, make_call
from modelmesh.client.defaults import NO_DEFAULTS, Defaults
from modelmesh.client.lazy_resource import lazy_resources
from modelmesh.client.official_sdks import OfficialSdks
from modelmesh.client.unsupported import UnsupportedApi
from modelmesh.contracts.operations import CHAT

if TYPE_CHECKING:
    from modelmesh._engine.mesh import MeshEngine
    from modelmesh._engine.routing.explain import Explanation
    from modelmesh._engine.telemetry.status import PoolInfo
    from modelmesh._engine.telemetry.usage import UsageTracker
    from modelmesh.client.parameters import MessageParam, TimeoutParam, ToolParam
    from modelmesh.client.resources.capability import Capability
    from modelmesh.contracts.call import CallOptions


class BaseClient(OfficialSdks, UnsupportedApi):
    """Members that the synchronous and the asynchronous client share."""

    mesh: MeshEngine
    _is_async = False

    def __init__(self, mesh: MeshEngine, defaults: Defaults = NO_DEFAULTS) -> None:
        """Create a client of a mesh, as ``mesh.client`` and ``mesh.get_client()`` do."""
        self.mesh = mesh
        self._requests = mesh._requests  # noqa: SLF001 - the clients are the only users of the request server
        self._bind(defaults)

    def _bind(self, defaults: Defaults) -> None:
        """Set the default options. Resources with other options are created again."""
        self._defaults = defaults
        for name in lazy_resources(type(self)) & self.__dict__.keys():
            del self.__dict__[name]

    def _bridged(self) -> tuple[MeshEngine, CallOptions]:
        return self.mesh, call_options(self._defaults.under({}))

    def with_options(
        self,
        *,
        timeout: float | TimeoutParam | None = None,
        max_retries: int | None = None,
        only_providers: Iterable[str] | None = None,
        default_headers: Mapping[str, Any] | None = None,
        default_query: Mapping[str, Any] | None = None,
        set_default_headers: Mapping[str, Any] | None = None,
        set_default_query: Mapping[str, Any] | None = None,
        **others: Any,
    ) -> Self:
        """Return a client of the same mesh with other default options. Closing the copy closes the mesh.

        Args:
            timeout: Seconds over all attempts, or an ``httpx.Timeout``.
            max_retries: Retries of the same model at most.
            only_providers: Keys or names of the providers that may be tried.
            default_headers: Request headers, added to those of this client.
            default_query: Query parameters, added to those of this client.
            set_default_headers: Request headers in place of those of this client.
            set_default_query: Query parameters in place of those of this client.
            **others: Options of the official SDK that belong to an account, such as ``api_key``. The error names the place
                where each is set instead.

        Raises:
            ConfigurationError: An option is unknown, or belongs to an account and is set in the configuration.
        """
        options = {
            "timeout": timeout,
            "max_retries": max_retries,
            "only_providers": only_providers,
            "default_headers": default_headers,
            "default_query": default_query,
            "set_default_headers": set_default_headers,
            "set_default_query": set_default_query,
            **others,
        }
        clone = object.__new__(type(self))
        clone.__dict__.update(self.__dict__)
        clone._bind(self._defaults.with_options(options))
        return clone

    copy = with_options
    """Alias of :meth:`with_options`, by the official SDK's second name."""

    def capability(self, name: str) -> Capability:
        """Return a capability by its name, to request it with ``call(…)``.

        Args:
            name: Short name or path, e.g. ``translation.text``. ``modelmesh capabilities`` lists the names.
        """
        from modelmesh.client.resources.capability import Capability  # noqa: PLC0415 - imported with the first use

        return Capability(self, name)

    @property
    def with_raw_response(self) -> Any:
        """The resources of this client with response headers, as in the official SDK."""
        from modelmesh.client import raw  # noqa: PLC0415 - imported with the first use

        return raw.AsyncRaw(self) if self._is_async else raw.Raw(self)

    @property
    def with_streaming_response(self) -> Any:
        """The resources of this client with context managers, as in the official SDK."""
        from modelmesh.client import raw  # noqa: PLC0415 - imported with the first use

        return raw.AsyncStreaming(self) if self._is_async else raw.Streaming(self)

    @property
    def usage(self) -> UsageTracker:
        """Tokens and costs."""
        return self.mesh.usage

    def pool_status(self, pool: str | None = None) -> dict[str, PoolInfo]:
        """Return the health of each pool: ``active``, ``standby``, ``total``, ``current_model``."""
        return self.mesh.pool_status(pool)

    def active_providers(self) -> list[str]:
        """Return the keys of the providers with an active model."""
        return self.mesh.active_providers()

    def rotate(self, pool: str) -> str:
        """Put the pool's current model in standby and return the new one's ID.

        Raises:
            NoActiveModelError: There is no other active model. The current one stays active.
        """
        return self.mesh.rotate(pool)

    def recover(self, pool: str, model: str | None = None) -> list[str]:
        """Make models of a pool active again, regardless of the reason for their standby.

        Args:
            pool: Name of the pool.
            model: ID of one model, with or without its provider. The default is every model in standby.

        Returns:
            The newly active models, as ``provider/model``. An exhausted quota stays exhausted.

        Raises:
            CapabilityNotFoundError: There is no such pool, or the pool has no such model.
        """
        return self.mesh.recover(pool, model)

    def describe(self, pool: str | None = None) -> str:
        """Return the pools and their models as text."""
        return self.mesh.describe(pool, only_providers=self._defaults.only_providers)

    def explain(
        self,
        model: str,
        *,
        messages: Iterable[MessageParam] = (),
        tools: Iterable[ToolParam] | None = None,
        stream: bool | None = None,
        **arguments: Any,
    ) -> Explanation:
        """Return where a request would go now, and why, without sending it.

        Args:
            model: Pool or capability.
            messages: The request's messages. Their length and contents may affect the choice.
            tools: The request's tools.
            stream: Whether the request streams.
            **arguments: The request's other parameters.
        """
        request = {**arguments, "messages": messages, "tools": tools, "stream": stream, "model": model}
        call = make_call(CHAT, self._defaults.under(request), strict=self._defaults.strict_parameters)
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

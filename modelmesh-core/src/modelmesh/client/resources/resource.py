"""Bases of the resources: methods that are declared once and built for threads and for asyncio."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Coroutine, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast, get_overloads

from modelmesh._engine.foundation.bad_requests import bad_request_error
from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh.client.arguments import make_call
from modelmesh.client.build_reply import build_reply
from modelmesh.client.defaults import NO_DEFAULTS, Defaults
from modelmesh.client.streams import AsyncStream, Stream
from modelmesh.client.unsupported import UnsupportedApi
from modelmesh.contracts.operations import OPERATIONS, Operation

if TYPE_CHECKING:
    from modelmesh._engine.mesh.requests import RequestServer
    from modelmesh._engine.routing.steps import Served
    from modelmesh.client import pages, raw
    from modelmesh.contracts.call import Call
else:  # the first use imports them
    pages = LazyModule(globals(), "pages", "modelmesh.client.pages")
    raw = LazyModule(globals(), "raw", "modelmesh.client.raw")

T = TypeVar("T")
Awaited: TypeAlias = Coroutine[Any, Any, T]
"""Result of a method of the asynchronous client."""


class Method:
    """Declaration of one method of a resource.

    Attributes:
        operation: The endpoint.
        signature: Protocol with the signature and the docstring.
        parameters: TypedDict that a signature with ``**parameters`` unpacks. ``None`` for a signature that lists them.
        reply: Class of a JSON reply.
        item: Class of the items of a stream.
        page: Class of the items of a list with pages.
        path: Arguments that are part of the path. They may be passed by position.
    """

    def __init__(
        self,
        operation: Operation | str,
        signature: Any,
        parameters: Any = None,
        *,
        reply: Any = None,
        item: Any = None,
        page: Any = None,
    ) -> None:
        """Declare a method."""
        self.operation = OPERATIONS[operation] if isinstance(operation, str) else operation
        self.signature, self.parameters, self.reply, self.item, self.page = signature, parameters, reply, item, page
        self.path = tuple(re.findall(r"\{(\w+)\}", self.operation.path))

    def bind(self, positional: tuple[Any, ...], arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments with those of the path that were passed by position.

        Raises:
            BadRequestError: There are too many, or one is passed twice.
        """
        bound = dict(zip(self.path, positional, strict=False))
        if len(positional) > len(self.path) or bound.keys() & arguments.keys():
            why = f"client.{self.operation.name}() takes {', '.join(self.path) or 'no argument'} by position, the rest by name"
            raise bad_request_error(why)
        return {**bound, **arguments}

    def describe(self, function: Callable[..., Any], name: str, *, asynchronous: bool) -> None:
        """Give a function the name, the signature and the docstring of this method for introspection."""
        declared = self.signature.__call__
        signature = inspect.signature((get_overloads(declared) or [declared])[0])
        stream = "AsyncStream" if asynchronous else "Stream"
        results = [self.reply.__name__] if self.reply is not None else ["BinaryReply"]
        if self.page is not None:
            results = [f"{'AsyncCursorPage' if asynchronous else 'CursorPage'}[{self.page.__name__}]"]
        if self.item is not None:
            results.append(f"{stream}[{self.item.__name__}]")
        listed = list(self._listed(signature))
        function.__signature__ = inspect.Signature(listed, return_annotation=" | ".join(results))  # type: ignore[attr-defined]
        function.__name__, function.__doc__ = name, declared.__doc__
        function.__qualname__ = f"{self.operation.name}.{name}" if name != "create" else function.__name__
        function.method = self  # type: ignore[attr-defined]

    def _listed(self, signature: inspect.Signature) -> Iterator[inspect.Parameter]:
        for one in signature.parameters.values():
            if one.name == "stream":
                yield one.replace(default=None, annotation="bool | None")
            elif one.kind is one.VAR_KEYWORD and self.parameters is not None:
                required = self.parameters.__required_keys__
                annotations = self.parameters.__annotations__
                for name in sorted(annotations, key=lambda name: name not in required):
                    default = one.empty if name in required else None
                    text = annotations[name]
                    text = getattr(text, "__forward_arg__", text)
                    yield inspect.Parameter(name, one.KEYWORD_ONLY, default=default, annotation=text)
                yield inspect.Parameter("extra", one.VAR_KEYWORD, annotation="Any")
            else:
                yield one


def method(operation: Operation | str, signature: Any, parameters: Any = None, **results: Any) -> Any:
    """Declare a method of a resource, with the arguments of :class:`Method`."""
    return Method(operation, signature, parameters, **results)


class Resource(UnsupportedApi):
    """Base of the resources."""

    def __init__(self, requests: RequestServer, defaults: Defaults = NO_DEFAULTS) -> None:
        """Create the resource of a client.

        Args:
            requests: The request server of the mesh.
            defaults: The options of calls that do not set their own.
        """
        self._requests = requests
        self._defaults = defaults

    def __init_subclass__(cls) -> None:
        for name in {name for base in cls.__mro__ for name, one in vars(base).items() if isinstance(one, Method)}:
            declared = inspect.getattr_static(cls, name)
            if isinstance(declared, Method):
                setattr(cls, name, cls._function(declared, name))

    @classmethod
    def _function(cls, declared: Method, name: str) -> Callable[..., Any]:
        raise NotImplementedError

    def _call(self, declared: Method, arguments: Mapping[str, Any], *, as_bytes: bool) -> Call:
        defaults = self._defaults
        return make_call(declared.operation, defaults.under(arguments), strict=defaults.strict_parameters, as_bytes=as_bytes)


class SyncResource(Resource):
    """Base of the resources of the client for threads."""

    @classmethod
    def _function(cls, declared: Method, name: str) -> Callable[..., Any]:
        def function(self: SyncResource, *positional: Any, **arguments: Any) -> Any:
            return self._invoke(declared, declared.bind(positional, arguments) if positional else arguments)

        declared.describe(function, name, asynchronous=False)
        return function

    def _invoke(self, declared: Method, arguments: Mapping[str, Any], *, as_bytes: bool = False) -> Any:
        """Serve one request. ``as_bytes`` streams a body that is no stream of events."""
        requests, call = self._requests, self._call(declared, arguments, as_bytes=as_bytes)
        served = requests.serve(call)
        if call.stream:
            return Stream(item_class(declared, call), requests, call, served)
        reply = build_reply(declared.reply, served, call, requests.clock)
        if declared.page is None:
            return reply

        return pages.CursorPage(reply, declared.page, lambda after: self._invoke(declared, {**arguments, "after": after}))

    if not TYPE_CHECKING:  # each resource declares their types

        @property
        def with_raw_response(self) -> Any:
            """This resource with response headers, as in the official SDK."""
            return raw.Raw(self)

        @property
        def with_streaming_response(self) -> Any:
            """This resource with context managers, as in the official SDK."""
            return raw.Streaming(self)


class AsyncResource(Resource):
    """Base of the resources of the asynchronous client."""

    @classmethod
    def _function(cls, declared: Method, name: str) -> Callable[..., Any]:
        if declared.page is not None:

            def paged(self: AsyncResource, *positional: Any, **arguments: Any) -> Any:

                return pages.AsyncPaginator(partial(self._invoke, declared, declared.bind(positional, arguments)))

            declared.describe(paged, name, asynchronous=True)
            return paged

        async def function(self: AsyncResource, *positional: Any, **arguments: Any) -> Any:
            call = self._call(declared, declared.bind(positional, arguments) if positional else arguments, as_bytes=False)
            return self._result(declared, call, await self._requests.aserve(call))

        declared.describe(function, name, asynchronous=True)
        return function

    async def _invoke(self, declared: Method, arguments: Mapping[str, Any], *, as_bytes: bool = False) -> Any:
        """Serve one request. ``as_bytes`` streams a body that is no stream of events."""
        call = self._call(declared, arguments, as_bytes=as_bytes)
        result = self._result(declared, call, await self._requests.aserve(call))
        if declared.page is None:
            return result
        return pages.AsyncCursorPage(result, declared.page, lambda after: self._invoke(declared, {**arguments, "after": after}))

    def _result(self, declared: Method, call: Call, served: Served) -> Any:
        requests = self._requests
        if call.stream:
            return AsyncStream(item_class(declared, call), requests, call, served)
        return build_reply(declared.reply, served, call, requests.clock)

    if not TYPE_CHECKING:  # each resource declares their types

        @property
        def with_raw_response(self) -> Any:
            """This resource with response headers, as in the official SDK."""
            return raw.AsyncRaw(self)

        @property
        def with_streaming_response(self) -> Any:
            """This resource with context managers, as in the official SDK."""
            return raw.AsyncStreaming(self)


def item_class(declared: Method, call: Call) -> Callable[[Any], Any]:
    """Return the class of the items of a stream. Pieces of bytes pass unchanged."""
    return cast("Callable[[Any], Any]", bytes if call.stream_kind == "bytes" else declared.item)

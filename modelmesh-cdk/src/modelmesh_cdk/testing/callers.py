"""Caller of a provider from a thread or from a task, so that each check is written once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Self

from modelmesh.contracts import CHAT, EMBEDDINGS, OPERATIONS, Operation
from modelmesh.contracts.call import Call, CallOptions, Limits

MODEL = "test-model"
MESSAGES: tuple[Mapping[str, Any], ...] = ({"role": "user", "content": "Hello!"},)
LIMITS = Limits(connect=5.0, first_content=10.0, gap=10.0, answer=10.0, total=20.0)


class Caller:
    """Calls a provider as the mesh does. A context manager, which closes the provider.

    Attributes:
        model: Requested model.
        limits: Time limits of each attempt.
        call: The latest call.
        sent: Payload of the latest call before the provider received it.
        closes: Number of times that each stream is closed.
        closed: Whether the provider is closed.
        strict: Whether the provider must reject rather than adapt a request.
        adapted: Notes on the latest response, set by a check.
    """

    def __init__(self, provider: Any, *, in_task: bool, model: str = MODEL) -> None:
        self.provider = provider
        self.model = model
        self.limits = LIMITS
        self._runner = asyncio.Runner() if in_task else None
        self.call: Call
        self.sent: dict[str, Any] = {}
        self.adapted: Sequence[str] = ()
        self.closes = 1
        self.closed = False
        self.strict = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.closed:
            self.close()
        if self._runner is not None:
            self._runner.close()

    def answer(self, payload: Mapping[str, Any] | None = None, *, model: str | None = None, **options: Any) -> Any:
        """Return the response to a chat request, with ``body``, ``headers`` and ``adapted``."""
        self._prepare({"messages": deepcopy(list(MESSAGES)), **(payload or {})}, CHAT, options)
        return self._whole(model)

    def embeddings(self, payload: Mapping[str, Any], *, model: str | None = None, **options: Any) -> Any:
        """Return the response to an embedding request."""
        self._prepare(dict(payload), EMBEDDINGS, options)
        return self._whole(model)

    def operation(self, name: str, payload: Mapping[str, Any], *, model: str | None = None, **options: Any) -> Any:
        """Return the response to a request for another operation."""
        self._prepare(dict(payload), OPERATIONS[name], options)
        return self._whole(model)

    def items(self, name: str, payload: Mapping[str, Any], *, most: int | None = None) -> tuple[list[Any], Exception | None]:
        """Return the items of a streamed operation and the error that ended it, or ``None``.

        Args:
            name: Name of the operation.
            payload: Parameters of the request.
            most: Number of items after which the stream is closed. ``None`` reads all of them.
        """
        self._prepare(dict(payload), OPERATIONS[name], {}, stream=True)
        return self._read_all(most)

    def _whole(self, model: str | None) -> Any:
        model = model or self.model
        if self._runner is None:
            return self.provider.send(self.call, model, self.limits)
        return self._runner.run(self.provider.asend(self.call, model, self.limits))

    def chunks(self, payload: Mapping[str, Any] | None = None, *, most: int | None = None, **options: Any) -> list[Any]:
        """Return the chunks of a streamed chat.

        Args:
            payload: Parameters of the chat.
            most: Number of chunks after which the stream is closed. ``None`` reads all of them.
            **options: Fields of ``CallOptions``.
        """
        got, error = self._collect(payload, most, options)
        if error is not None:
            raise error
        return got

    def pieces(self, payload: Mapping[str, Any] | None = None, **options: Any) -> tuple[list[Any], Exception | None]:
        """Return the chunks of a streamed chat and the error that ended it, or ``None``."""
        return self._collect(payload, None, options)

    def _collect(
        self, payload: Mapping[str, Any] | None, most: int | None, options: Mapping[str, Any]
    ) -> tuple[list[Any], Exception | None]:
        self._prepare({"messages": deepcopy(list(MESSAGES)), **(payload or {})}, CHAT, options, stream=True)
        return self._read_all(most)

    def _read_all(self, most: int | None) -> tuple[list[Any], Exception | None]:
        got: list[Any] = []
        try:
            if self._runner is None:
                self._read(got, most)
            else:
                self._runner.run(self._aread(got, most))
        except Exception as error:  # noqa: BLE001 - the check judges it
            return got, error
        return got, None

    def _read(self, got: list[Any], most: int | None) -> None:
        stream = self.provider.send(self.call, self.model, self.limits)
        try:
            for chunk in stream:
                got.append(deepcopy(chunk))
                if len(got) == most:
                    break
        finally:
            for _ in range(self.closes):
                stream.close()

    async def _aread(self, got: list[Any], most: int | None) -> None:
        stream = await self.provider.asend(self.call, self.model, self.limits)
        try:
            async for chunk in stream:
                got.append(deepcopy(chunk))
                if len(got) == most:
                    break
        finally:
            for _ in range(self.closes):
                await stream.aclose()

    def _prepare(
        self, payload: dict[str, Any], operation: Operation, options: Mapping[str, Any], *, stream: bool = False
    ) -> None:
        self.sent = deepcopy(payload)
        self.call = Call(operation, operation.capability, payload, stream, CallOptions(**options), self.strict)

    def close(self) -> None:
        """Close the provider."""
        self.closed = True
        if self._runner is not None:
            self._runner.run(self.provider.aclose())
        self.provider.close()

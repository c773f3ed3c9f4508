"""The administration interface: JSON under ``/admin`` and the page ``/ui``.

The application imports this module with the first request to one of the two, because most processes never get one. The guard
has identified an administrator before.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from modelmesh._engine.gateway.calls import decode_json
from modelmesh._engine.gateway.error_responses import status_of
from modelmesh._engine.gateway.messages import HttpError
from modelmesh.errors import ModelMeshError
from modelmesh_proxy.admin import configuration, mesh_views, token_views, usage_views, worker_answers
from modelmesh_proxy.admin.assets import Page
from modelmesh_proxy.admin.event_stream import AttemptStream
from modelmesh_proxy.admin.json_bodies import encode, encode_error
from modelmesh_proxy.admin.live_feed import feed_of
from modelmesh_proxy.admin.request_checks import RequestChecks
from modelmesh_proxy.services import ProxyServices

Handler = Callable[[Request], Awaitable[Response]]
_log = logging.getLogger("modelmesh.proxy")

MAX_BYTES = 1024 * 1024
"""Bytes of a body. The playground explains a whole request."""


def create_admin(services: ProxyServices) -> RequestChecks:
    """Create the ASGI application of ``/admin`` and ``/ui``."""
    api, page = AdminApi(services), Page(services)
    routes = [
        Route("/admin/status", _plain(api.status)),
        Route("/admin/pools", _plain(api.pools)),
        Route("/admin/pools/{pool:path}/rotate", _plain(api.rotate), methods=["POST"]),
        Route("/admin/pools/{pool:path}/recover", _plain(api.recover), methods=["POST"]),
        Route("/admin/limits", _plain(api.limits)),
        Route("/admin/attempts", AttemptStream(feed_of(services)), methods=["GET"]),
        Route("/admin/explain", _plain(api.explain), methods=["POST"]),
        Route("/admin/config", _plain(api.config)),
        Route("/admin/config/check", _plain(api.check), methods=["POST"]),
        Route("/admin/tokens", _plain(api.tokens)),
        Route("/admin/tokens", _plain(api.create_token), methods=["POST"]),
        Route("/admin/tokens/{name:path}/rotate", _plain(api.rotate_token), methods=["POST"]),
        Route("/admin/tokens/{name:path}", _plain(api.revoke_token), methods=["DELETE"]),
        Route("/ui", page.index),
        Route("/ui/{asset:path}", page.asset),
    ]
    handlers: Any = {HTTPException: _http_failure}
    return RequestChecks(Starlette(routes=routes, exception_handlers=handlers))


class AdminApi:
    """Handlers of the JSON interface. Each returns plain data.

    What reads a store or holds the mesh's lock for long runs in a thread, so that callers' requests go on.
    """

    def __init__(self, services: ProxyServices) -> None:
        self._services = services

    async def _others(self, what: str, **arguments: Any) -> list[Any]:
        """Return what the other workers answer."""
        workers = self._services.workers
        return [] if workers is None else await workers.ask(what, **arguments)

    async def status(self, _: Request) -> Any:
        """Return the state of the process and the totals of the mesh."""
        own = await run_in_threadpool(mesh_views.status, self._services)
        own["requests_running"] = max(0, own["requests_running"] - 1)  # this one
        return worker_answers.merge_status(own, await self._others("status"))

    async def pools(self, _: Request) -> Any:
        """Return every pool with its models, their state, the reason and its end."""
        own = await run_in_threadpool(mesh_views.pools, self._services.mesh)
        return worker_answers.merge_pools(own, await self._others("pools"))

    async def limits(self, _: Request) -> Any:
        """Return what is spent and what is left of every limit."""
        own = await run_in_threadpool(mesh_views.limits, self._services)
        usage_views.add(own, [one["usage"] for one in await self._others("usage")])
        return own

    async def rotate(self, request: Request) -> Any:
        """Put the current model of a pool in standby."""
        pool = request.path_params["pool"]
        mesh = self._services.mesh
        before = mesh.pool_status(pool)[pool]
        model = await run_in_threadpool(mesh.rotate, pool)
        await self._others("rotate", pool=pool, model=f"{before.current_provider}/{before.current_model}")
        return {"pool": pool, "model": model}

    async def recover(self, request: Request) -> Any:
        """Make models of a pool active again: one, or every model in standby."""
        pool, model = request.path_params["pool"], (await _body(request)).get("model")
        if not isinstance(model, str | None):
            raise HttpError(400, "'model' must be the name of a model. Omit it for all models in standby.", param="model")
        models = await run_in_threadpool(self._services.mesh.recover, pool, model)
        await self._others("recover", pool=pool, model=model)
        return {"pool": pool, "models": models}

    async def explain(self, request: Request) -> Any:
        """Return where a request would go now, and why."""
        payload = await _body(request)
        return await run_in_threadpool(mesh_views.explain, self._services.mesh, payload)

    async def config(self, _: Request) -> Any:
        """Return the configuration with its secrets masked."""
        return await run_in_threadpool(configuration.view, self._services.mesh)

    async def check(self, _: Request) -> Any:
        """Return the result of ``modelmesh check`` for the file of the configuration."""
        return await configuration.check(self._services.mesh)

    async def tokens(self, _: Request) -> Any:
        """Return every token without its text."""
        return await run_in_threadpool(token_views.tokens, self._services)

    async def create_token(self, request: Request) -> Any:
        """Create a token and return its text, this once."""
        settings = await _body(request)
        return await run_in_threadpool(token_views.create, self._services, settings)

    async def rotate_token(self, request: Request) -> Any:
        """Replace the text of a token and return the new one, this once."""
        settings = await _body(request)
        return await run_in_threadpool(token_views.rotate, self._services, request.path_params["name"], settings)

    async def revoke_token(self, request: Request) -> Any:
        """Revoke a token."""
        return await run_in_threadpool(token_views.revoke, self._services, request.path_params["name"])


async def _body(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request.

    Raises:
        HttpError: The body is larger than :data:`MAX_BYTES`, or it is not a JSON object.
    """
    whole = bytearray()
    async for piece in request.stream():
        whole += piece
        if len(whole) > MAX_BYTES:
            raise HttpError(413, f"The JSON body exceeds {MAX_BYTES:,} bytes. Send a smaller one.", code="request_too_large")
    return decode_json(bytes(whole))


def _plain(handler: Callable[[Request], Awaitable[Any]]) -> Handler:
    """Return a handler that answers with the data of another one, or with its error in OpenAI's shape."""

    async def handle(request: Request) -> Response:
        try:
            return Response(encode(await handler(request)), media_type="application/json")
        except (HttpError, ModelMeshError) as error:
            return Response(encode_error(error), status_of(error), media_type="application/json")
        except Exception as error:  # noqa: BLE001 - any failure gets an answer in the same format
            _log.exception("unexpected error in %s %s", request.method, request.url.path)
            return Response(encode_error(error), 500, media_type="application/json")

    return handle


async def _http_failure(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:  # noqa: PLR2004 - the status has this number
        message = f"{request.url.path} does not accept {request.method}. Use one of: {(error.headers or {}).get('Allow', 'GET')}."
    else:
        message = f"There is no {request.url.path}. The administration interface has /ui and paths under /admin."
    body = encode_error(HttpError(error.status_code, message))
    return Response(body, error.status_code, error.headers, media_type="application/json")

"""Proxies in threads of the test, over meshes that the test can look into."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Thread
from typing import Any, Self

import uvicorn
from http_calls import send
from waiting import wait_for

from modelmesh import ModelMesh
from modelmesh._engine.state.sync_status import CountsStatus
from modelmesh_proxy.application.app import create_app


class RunningProxy:
    """One proxy. A context manager, which closes the mesh as well."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.mesh = ModelMesh(config)
        self.app = create_app(mesh=self.mesh)
        settings = uvicorn.Config(self.app, host="127.0.0.1", port=0, log_level="error", lifespan="on")
        self._server = uvicorn.Server(settings)
        self._thread = Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        wait_for(lambda: self._server.started)
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self.mesh.shutdown()

    def get(self, path: str) -> tuple[int, Any]:
        reply = send("GET", self.url + path)
        return reply.status, reply.data

    @property
    def counts(self) -> CountsStatus:
        """Whether the mesh counts alone."""
        assert self.mesh.state is not None
        return self.mesh.state.get_counts_status()

    def chat(self, model: str = "chat", **headers: str) -> tuple[int, Any]:
        """Send a short chat. Returns the status and the body."""
        body = {"model": model, "max_tokens": 10, "messages": [{"role": "user", "content": "Hello!"}]}
        reply = send("POST", f"{self.url}/v1/chat/completions", body, **headers)
        return reply.status, reply.data if reply.status < 400 else reply.data | {"headers": reply.headers}

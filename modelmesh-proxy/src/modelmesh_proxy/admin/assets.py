"""The page ``/ui``: files of the package, served with an ETag.

The files contain no data, so that a browser can load them before its user signs in. Everything that the page shows comes from
``/admin``, which needs an administrator.
"""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

from attrs import frozen
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from starlette.requests import Request

    from modelmesh_proxy.services import ProxyServices

KINDS = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@frozen
class Asset:
    """A file of the page.

    Attributes:
        content: Its bytes.
        kind: Its media type.
        etag: Its entity tag.
    """

    content: bytes
    kind: str
    etag: str


class Page:
    """Handlers of ``/ui`` and of the files below it."""

    def __init__(self, services: ProxyServices) -> None:
        self._services = services

    async def index(self, request: Request) -> Response:
        """Serve the page."""
        return self._serve(request, "index.html")

    async def asset(self, request: Request) -> Response:
        """Serve a file of the page."""
        name = request.path_params["asset"]
        if not name:
            return RedirectResponse("../ui", 308)
        return self._serve(request, name)

    def _serve(self, request: Request, name: str) -> Response:
        asset = self._assets.get(name) if self._services.settings.section.ui else None
        if asset is None:
            raise HTTPException(404)
        headers = {"etag": asset.etag, "cache-control": "no-cache"}
        if asset.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(asset.content, headers={**headers, "content-type": asset.kind})

    @cached_property
    def _assets(self) -> dict[str, Asset]:
        found: dict[str, Asset] = {}
        _collect(files(__package__) / "static", "", found)
        return found


def _collect(folder: Traversable, prefix: str, found: dict[str, Asset]) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            _collect(entry, f"{prefix}{entry.name}/", found)
        elif (kind := KINDS.get(entry.name.rpartition(".")[2])) is not None:
            content = entry.read_bytes()
            found[prefix + entry.name] = Asset(content, kind, f'"{sha256(content).hexdigest()[:32]}"')

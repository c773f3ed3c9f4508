"""The path ``/metrics``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelmesh_proxy.metrics.proxy_metrics import ProxyMetrics


async def serve_metrics(
    metrics: ProxyMetrics, scope: Mapping[str, Any], send: Callable[[Mapping[str, Any]], Awaitable[None]]
) -> None:
    """Answer a scrape. The guard has decided that the caller may read the metrics."""
    if scope["method"] not in ("GET", "HEAD"):
        await send({"type": "http.response.start", "status": 405, "headers": [(b"allow", b"GET, HEAD")]})
        await send({"type": "http.response.body", "body": b""})
        return
    accept = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"accept"), "")
    body, media_type = metrics.render(accept)
    head = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

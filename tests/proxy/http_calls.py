"""Plain HTTP requests, for tests that need no SDK."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from attrs import frozen
from waiting import LIMIT_S


@frozen
class Reply:
    """A response. An error of the proxy is one as well.

    Attributes:
        status: HTTP status.
        headers: Headers, names as they were sent.
        body: The whole body.
    """

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        """The decoded JSON body."""
        return json.loads(self.body)


def send(method: str, url: str, body: Any = None, **headers: str) -> Reply:
    """Send a request with a JSON body.

    Args:
        method: HTTP method.
        url: Address.
        body: The body, ``None`` for none.
        **headers: Headers. Underscores in the names stand for hyphens.
    """
    data = None if body is None else json.dumps(body).encode()
    given = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = urllib.request.Request(url, data, given, method=method)
    try:
        with urllib.request.urlopen(request, timeout=LIMIT_S) as reply:
            return Reply(reply.status, dict(reply.headers), reply.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, dict(error.headers), error.read())

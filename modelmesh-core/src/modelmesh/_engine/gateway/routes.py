"""Routes: the operation of a method and a path, from the operations table."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import unquote

from attrs import frozen

from modelmesh._engine.gateway.messages import HttpError
from modelmesh.contracts.operations import OPERATIONS, Operation

PREFIX = "/v1"


class Endpoint(StrEnum):
    """Endpoints that the gateway answers by itself."""

    LIST_MODELS = "models.list"
    RETRIEVE_MODEL = "models.retrieve"
    COUNT_TOKENS = "messages.count_tokens"


@frozen
class Route:
    """What serves a request.

    Attributes:
        target: The operation or endpoint.
        arguments: Arguments that the path contains, decoded.
        verb: Last part of a path of Google, such as ``generateContent``. Empty for the list of models, and for other formats.
        is_google: Whether the request is in Google's format.
        as_array: Whether a stream is one JSON array instead of server-sent events.
    """

    target: Operation | Endpoint
    arguments: tuple[tuple[str, str], ...] = ()
    verb: str = ""
    is_google: bool = False
    as_array: bool = False


_OWN = {
    ("GET", "/models"): Endpoint.LIST_MODELS,
    ("GET", "/models/{model}"): Endpoint.RETRIEVE_MODEL,
    ("POST", "/messages/count_tokens"): Endpoint.COUNT_TOKENS,
}


def _tables() -> tuple[dict[str, dict[str, Route]], dict[tuple[str, ...], dict[str, Operation | Endpoint]]]:
    """Return the targets by method, for each path without arguments, and for each pattern as segments."""
    fixed: dict[str, dict[str, Route]] = {}
    patterns: dict[tuple[str, ...], dict[str, Operation | Endpoint]] = {}
    rows: list[tuple[str, str, Operation | Endpoint]] = [(row.method, row.path, row) for row in OPERATIONS.values()]
    rows += [(method, path, endpoint) for (method, path), endpoint in _OWN.items()]
    for method, path, target in rows:
        if "{" not in path:
            fixed.setdefault(f"{PREFIX}{path}", {})[method] = Route(target)
        else:
            patterns.setdefault(tuple(f"{PREFIX}{path}".split("/")), {})[method] = target
    return fixed, patterns


_FIXED, _PATTERNS = _tables()


def find_route(method: str, path: str) -> Route:
    """Return the route of a request.

    Args:
        method: HTTP method, upper case.
        path: Path, percent-encoded.

    Raises:
        HttpError: There is no such path, or it has no such method.
    """
    methods = _FIXED.get(path)
    if methods is None:
        methods = _FIXED.get(path.rstrip("/")) or _matching(path.rstrip("/"))
    if not methods:
        raise HttpError(404, f"{method} {path[:200]} does not exist. {_advice(path)}")
    route = methods.get(method)
    if route is None:
        allowed = ", ".join(sorted(methods))
        raise HttpError(405, f"{path[:200]} does not accept {method}. Use {allowed}.", code="method_not_allowed", allow=allowed)
    return route


def _advice(path: str) -> str:
    if path.startswith(f"{PREFIX}{PREFIX}/"):
        return f"It begins with {PREFIX} twice: remove one from the base URL."
    if path.startswith(f"{PREFIX}/"):
        return "For operations that the mesh does not serve, use the vendor's own SDK: openai.OpenAI()."
    return f"Paths start with {PREFIX}, e.g. {PREFIX}/chat/completions."


def _matching(path: str) -> dict[str, Route]:
    segments = path.split("/")
    for pattern, targets in _PATTERNS.items():
        if len(pattern) == len(segments) and all(map(_fits, pattern, segments)):
            found = tuple((name[1:-1], unquote(value)) for name, value in zip(pattern, segments, strict=True) if name[:1] == "{")
            return {method: Route(target, found) for method, target in targets.items()}
    models = f"{PREFIX}/models/"
    if path.startswith(models):  # model names contain slashes
        return {"GET": Route(Endpoint.RETRIEVE_MODEL, (("model", unquote(path.removeprefix(models))),))}
    return {}


def _fits(part: str, segment: str) -> bool:
    return part == segment or (part.startswith("{") and segment != "")

"""Label ``route`` of a request: the pattern of its path, never the path itself."""

from __future__ import annotations

from modelmesh.contracts.operations import OPERATIONS

OTHER = "other"
METHODS = frozenset({"GET", "POST", "DELETE", "OPTIONS", "HEAD", "PUT", "PATCH"})

_PATTERNS = (
    *(f"/v1{row.path}" for row in OPERATIONS.values()),
    "/v1/models",
    "/v1/models/{model}",
    "/v1/messages/count_tokens",
    "/v1/realtime",
    "/v1beta/models",
    "/v1beta/models/{model}",
    "/health",
    "/ready",
    "/metrics",
    "/openapi.json",
    "/",
)
FIXED = frozenset(pattern for pattern in _PATTERNS if "{" not in pattern)
"""Paths without arguments."""

_WITH_ARGUMENTS = tuple(tuple(pattern.split("/")) for pattern in dict.fromkeys(_PATTERNS) if "{" in pattern)
_GEMINI = frozenset({"generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents"})
_BELOW = ("/admin/", "/ui/", "/v1beta/")
_GREEDY = (("/v1/models/", "/v1/models/{model}"),)


def route_label(raw_path: str) -> str:
    """Return the pattern of a path, :data:`OTHER` for an unknown path."""
    if raw_path in FIXED:
        return raw_path
    if raw_path == "/ui":
        return "/ui/*"
    segments = raw_path.split("/")
    if raw_path.startswith("/v1beta/models/") and ":" in segments[-1]:
        action = segments[-1].rpartition(":")[2]
        return f"/v1beta/models/{{model}}:{action}" if action in _GEMINI else OTHER
    for pattern in _WITH_ARGUMENTS:
        if len(pattern) == len(segments) and all(
            one == other or one[:1] == "{" for one, other in zip(pattern, segments, strict=True)
        ):
            return "/".join(pattern)
    for prefix, label in _GREEDY:  # names of models contain slashes
        if raw_path.startswith(prefix):
            return label
    return next((f"{prefix}*" for prefix in _BELOW if raw_path.startswith(prefix)), OTHER)

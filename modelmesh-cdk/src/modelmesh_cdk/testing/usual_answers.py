"""Answers of a vendor to requests without a script, for the operations other than chat completions and embeddings."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

from modelmesh.contracts import CHAT, OPERATIONS
from modelmesh_cdk.testing.dialects import DIALECTS
from modelmesh_cdk.testing.dialects.operation_samples import OPERATION_SAMPLES
from modelmesh_cdk.testing.upstream import Received, Script

_PATTERNS = [
    (row.method, re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(row.path)) + "$"), row)
    for row in OPERATIONS.values()
    if row.name in OPERATION_SAMPLES
]


def usual_answer(request: Received) -> Script | None:
    """Return the sample of the operation with the method and path of a request, streamed if requested, else ``None``."""
    path = urlsplit(request.path).path
    if path.endswith(CHAT.path):
        return None
    for method, pattern, row in _PATTERNS:
        if method == request.method and pattern.search(path):
            sample = OPERATION_SAMPLES[row.name]
            if row.streams and sample.events and _asks_for_stream(request):
                return DIALECTS["openai"].write_operation_stream(row, sample.events, sample.media)
            return DIALECTS["openai"].write_operation(row, sample.answer, sample.media)
    return None


def _asks_for_stream(request: Received) -> bool:
    if request.headers.get("content-type", "").startswith("multipart/"):
        return b'name="stream"\r\n\r\ntrue\r\n' in request.body
    try:
        return bool(json.loads(request.body or b"{}").get("stream"))
    except (ValueError, AttributeError):
        return False

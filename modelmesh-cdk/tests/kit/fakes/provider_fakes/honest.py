"""Correct provider, and base classes of the faulty ones."""

from __future__ import annotations

import json
from typing import Any

from modelmesh_cdk import OpenAICompatibleProvider, read_row

ROW = {"id": "acme-1", "capabilities": ["generation.text-generation.chat-completion"]}
DATED = {"source": "the price list of Acme", "as_of": "2026-11-21"}


class Honest(OpenAICompatibleProvider):
    """Correct provider."""

    id = "acme.honest.v1"
    default_base_url = "https://api.acme.example/v1"
    api_key_variable = "ACME_API_KEY"

    rows: list[dict[str, Any]] = [ROW]
    facts: dict[str, str] = DATED

    def shipped_models(self) -> Any:
        return tuple(read_row(row, **self.facts) for row in self.rows)


class Sends(Honest):
    """Base class of fakes that change the request body in ``write``."""

    def _build_request_payload(self, request: Any) -> dict[str, Any]:
        payload = json.loads(json.dumps(super()._build_request_payload(request)))
        return self.write(payload)

    def write(self, payload: dict[str, Any]) -> dict[str, Any]:
        return payload


class Reads(Honest):
    """Base class of fakes that change the response in ``read``."""

    def _parse_response(self, data: dict[str, Any]) -> dict[str, Any]:
        return self.read(data, data["choices"][0])

    def read(self, data: dict[str, Any], choice: dict[str, Any]) -> dict[str, Any]:
        return data


class Streams(Honest):
    """Base class of fakes that change a chunk in ``read``. ``None`` skips it."""

    def _parse_sse_chunk(self, data: str) -> Any:
        chunk = json.loads(data)
        choices = chunk.get("choices") or [{}]
        return self.read(chunk, choices[0], choices[0].get("delta") or {})

    def read(self, chunk: dict[str, Any], choice: dict[str, Any], delta: dict[str, Any]) -> Any:
        return chunk


class Classifies(Honest):
    """Base class of fakes that change the failure class in ``lie``."""

    def _classify(self, status: int, code: Any, headers: Any, body: Any) -> Any:
        return self.lie(status, code, headers, body) or super()._classify(status, code, headers, body)

    def lie(self, status: int, code: Any, headers: Any, body: Any) -> Any:
        return None

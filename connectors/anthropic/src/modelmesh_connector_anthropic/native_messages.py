"""Requests that are in Anthropic's format already. They and their answers pass unchanged."""

from __future__ import annotations

from typing import Any

from modelmesh_cdk import OperationCodec, WireRequest


class NativeMessages(OperationCodec):
    """Codec of ``messages``. The hooks of the connector translate chat completions only."""

    def build_payload(self, provider: Any, request: WireRequest) -> dict[str, Any]:
        """Return the caller's body with the model."""
        del provider
        streamed = {"stream": True} if request.stream else {}
        return {"model": request.model, **request.payload, **streamed}

"""Requests that are in Anthropic's format already. They and their answers pass unchanged."""

from __future__ import annotations

from typing import Any

from modelmesh_cdk import OperationCodec, WireRequest
from modelmesh_connector_anthropic.parameters import IN_HEADERS


class NativeMessages(OperationCodec):
    """Codec of ``messages``. The hooks of the connector translate chat completions only."""

    def build_payload(self, provider: Any, request: WireRequest) -> dict[str, Any]:
        """Return the caller's body with the model, without parameters that are sent as headers."""
        del provider
        streamed = {"stream": True} if request.stream else {}
        body = {name: value for name, value in request.payload.items() if name not in IN_HEADERS}
        return {"model": request.model, **body, **streamed}

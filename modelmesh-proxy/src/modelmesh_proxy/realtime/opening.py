"""Opening of a session at the first candidate of the pool that accepts it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve

from modelmesh._engine.execution.sessions import SessionDriver
from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.gateway.answer_responses import answer_headers
from modelmesh._engine.gateway.messages import GatewayRequest
from modelmesh._engine.gateway.request_options import options_of
from modelmesh._engine.routing.steps import Send
from modelmesh.contracts.call import NO_OPTIONS, Call
from modelmesh.contracts.operations import REALTIME
from modelmesh_cdk.provider.provider_errors import provider_error
from modelmesh_proxy.realtime.session import RealtimeSession
from modelmesh_proxy.services import ProxyServices


async def open_session(services: ProxyServices, request: GatewayRequest, subprotocols: Sequence[str]) -> RealtimeSession:
    """Open a session at a vendor. Nothing was sent to the caller yet, so a refusal leads to the next candidate.

    Args:
        services: State of the proxy.
        request: The caller's handshake.
        subprotocols: Subprotocols for the vendor.

    Raises:
        ModelMeshError: No candidate opened the session.
    """
    limits = services.settings.section.limits
    options = options_of(request, NO_OPTIONS)
    query = dict(options.query)
    model = query.pop("model")
    call = Call(
        REALTIME,
        model[-1] if isinstance(model, list) else model,
        {},
        stream=True,
        options=evolve(options, query=query),
    )
    requests = services.mesh._requests  # noqa: SLF001 - core and the proxy are released together

    async def connect(step: Send) -> Any:
        candidate = step.candidate
        opener = getattr(candidate.provider, "connect_realtime", None)
        if opener is None:
            message = f"{candidate} does not serve realtime sessions. Nothing was sent."
            raise provider_error(FailureClass.CAPABILITY, message, status=400)
        return await opener(step.call, candidate.upstream, step.limits, subprotocols=subprotocols, max_size=limits.json_body)

    driver = SessionDriver(requests.core.adriver, connect)
    served = await requests.aconnect(call, driver)
    headers = answer_headers(served, request.headers["x-request-id"])
    return RealtimeSession(services, requests, call, served, driver, headers, limits.realtime_idle)

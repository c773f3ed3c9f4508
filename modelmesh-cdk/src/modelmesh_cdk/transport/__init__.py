"""How bytes get to a vendor: a port of one method, and what implements it."""

from modelmesh_cdk.transport.interfaces import AsyncResponse, AsyncTransport, Deadline, Response, Transport, TransportError

__all__ = ["AsyncResponse", "AsyncTransport", "Deadline", "Response", "Transport", "TransportError"]
